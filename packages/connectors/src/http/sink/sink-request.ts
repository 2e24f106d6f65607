import { PoisonousRecordError } from '../../errors.ts'
import type { SinkRecord } from '../../sink.ts'
import { type HttpBody, jsonArrayBody, rawBody } from './http-body.ts'

/** One request of the sink's. `Idempotency-Key` and the sink's headers are added. */
export interface HttpSinkRequest {
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Where records go, and as what. */
export interface HttpAddressing {
  /** The target: one for all, or by record. `{key}` stands for the record's key, as text and percent-encoded. */
  readonly url?: string | ((record: SinkRecord) => string)
  /**
   * `append` (default): each record is sent with POST. `upsert`: the URL stands for the record's key; a record is sent with PUT, a tombstone with DELETE.
   */
  readonly mode?: 'append' | 'upsert'
  /** Method for records with a value, instead of the mode's. */
  readonly method?: 'POST' | 'PUT' | 'PATCH'
  /** Default `rawBody()`, the value as it is, as JSON; with `batchRecords`, `jsonArrayBody()`. */
  readonly body?: HttpBody
  /** Most records of a request; default 1. Those of one request are of one partition. */
  readonly batchRecords?: number
}

/** What records of one request have in common. */
export interface RequestTarget {
  readonly url: string
  readonly method: NonNullable<HttpSinkRequest['method']>
}

/** Where a record goes. @throws PoisonousRecordError for one without the key that its address is made of. */
export function targetOf(record: SinkRecord, { url = '', mode, method }: HttpAddressing): RequestTarget {
  const pattern = typeof url === 'function' ? url(record) : url
  const address = pattern.replaceAll('{key}', () => keyText(record))
  if (mode !== 'upsert') return { url: address, method: method ?? 'POST' }
  return { url: address, method: record.value === null ? 'DELETE' : (method ?? 'PUT') }
}

/** The request for records of one target. @throws PoisonousRecordError for one that cannot be sent. */
export function makeRequest(records: readonly SinkRecord[], addressing: HttpAddressing): HttpSinkRequest {
  const target = targetOf(records[0], addressing)
  if (target.method === 'DELETE') return target
  const body = addressing.body ?? ((addressing.batchRecords ?? 1) > 1 ? jsonArrayBody() : rawBody())
  return { ...target, headers: { 'content-type': body.contentType }, body: body.encode(records) }
}

function keyText(record: SinkRecord): string {
  if (record.key === null) throw new PoisonousRecordError(record, 'it has no key, of which its address is made')
  const text = record.key.toString('utf8')
  if (!/^\.{1,2}$/.test(text)) return encodeURIComponent(text)
  throw new PoisonousRecordError(
    record,
    `its key is '${text}', which means another place in an address, however it is written`
  )
}
