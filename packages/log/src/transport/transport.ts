import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'

/**
 * What the client needs of a connection to brokers: Kafka's messages, sent and answered. In process the objects are handed
 * over by reference; over TCP they are encoded by `wire/`. Record batches sent are given away for good; batches received are
 * read-only.
 */
export interface Transport {
  /**
   * Sends one request and resolves with its response. Requests to one node on one `lane` are answered in order; a request that the broker
   * holds (a long poll, a join) holds its lane, so callers give those a lane of their own.
   * @throws DisconnectedError when the connection is lost before the answer; the outcome is then unknown.
   */
  send<A extends Api>(api: A, request: RequestOf<A>, options?: SendOptions): Promise<ResponseOf<A>>
  /** Highest version of `api` that both ends speak, or -1. In process: the highest we know. */
  version(api: Api, node?: number): Promise<number>
  /** Level of a finalized feature, e.g. `transaction.version`; 0 when the broker does not name it. */
  feature(name: string): Promise<number>
  close(): Promise<void>
}

/** Where and how a request goes. */
export interface SendOptions {
  /** Broker id; any broker when absent. */
  readonly node?: number
  /** Name of the connection to use to that node; default `main`. */
  readonly lane?: string
  /** Milliseconds until the caller gives up with a `RequestTimeoutError`; default 30,000. Long polls add their wait. */
  readonly timeoutMs?: number
  /**
   * Highest version of the API to use, when that is below what both ends speak: a broker infers the transaction protocol of a client
   * from the versions of Produce, TxnOffsetCommit and EndTxn (KIP-890), so a client of the first protocol must not use the newest ones.
   */
  readonly maxVersion?: number
}
