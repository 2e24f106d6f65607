import type { Environment } from '../environment/environment.ts'
import { memoryEnvironment } from '../environment/memory-environment.ts'
import { InvariantError } from '../errors.ts'
import type { SendOptions, Transport } from '../transport/transport.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { withDefaults } from '../wire/codec.ts'
import { findCoordinator, initProducerId, metadata, produce } from '../wire/messages/index.ts'
import type { PartialOf } from '../wire/schema.ts'
import { type ClientContext, createClientContext } from './client-context.ts'

/** One request that a scripted transport was given. */
export interface SentRequest {
  readonly api: string
  readonly request: unknown
  readonly options: SendOptions
}

type Answer<A extends Api> = PartialOf<ResponseOf<A>> | Promise<PartialOf<ResponseOf<A>>>
type Script = (request: never, options: SendOptions) => unknown

/** A transport whose answers a test writes, and which keeps what it was asked. An API without a script is an error. */
export class ScriptedTransport implements Transport {
  readonly sent: SentRequest[] = []
  readonly versions = new Map<string, number>()
  transactionVersion = 2
  readonly #scripts = new Map<string, { api: Api; script: Script }>()

  /** How `api` is answered from now on; fields that are left out have their defaults. */
  on<A extends Api>(api: A, script: (request: RequestOf<A>, options: SendOptions) => Answer<A>): void {
    this.#scripts.set(api.name, { api, script })
  }

  /** How `api` is answered now, to fall back to. */
  scriptOf<A extends Api>(api: A): (request: RequestOf<A>) => Answer<A> {
    const scripted = this.#scripts.get(api.name)
    return (request) => scripted?.script(request as never, {}) as Answer<A>
  }

  /** The next answers to `api`, in turn; the last one stays. */
  inTurn<A extends Api>(api: A, answers: readonly (() => Answer<A>)[]): void {
    let turn = 0
    this.on(api, () => answers[Math.min(turn++, answers.length - 1)]())
  }

  async send<A extends Api>(api: A, request: RequestOf<A>, options: SendOptions = {}): Promise<ResponseOf<A>> {
    this.sent.push({ api: api.name, request, options })
    const scripted = this.#scripts.get(api.name)
    if (scripted === undefined) throw new InvariantError(`the test has no answer to ${api.name}`)
    const answer = await scripted.script(request as never, options)
    return withDefaults(api.response, answer as never) as ResponseOf<A>
  }

  version(api: Api): Promise<number> {
    return Promise.resolve(this.versions.get(api.name) ?? api.maxVersion)
  }

  feature(name: string): Promise<number> {
    return Promise.resolve(name === 'transaction.version' ? this.transactionVersion : 0)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** The requests of one API, in order. */
  requests<A extends Api>(api: A): RequestOf<A>[] {
    return this.sent.filter((sent) => sent.api === api.name).map(({ request }) => request as RequestOf<A>)
  }

  /** The options that requests of one API were sent with. */
  options(api: Api): SendOptions[] {
    return this.sent.filter((sent) => sent.api === api.name).map(({ options }) => options)
  }
}

/** A cluster of one broker, id 1, where everything goes well: each topic has four partitions, and every batch is written. */
export function scriptedCluster(environment: Environment = memoryEnvironment()): {
  transport: ScriptedTransport
  context: ClientContext
} {
  const transport = new ScriptedTransport()
  const ends = new Map<string, number>()
  transport.on(metadata, ({ topics }) => ({
    topics: (topics ?? []).map(({ name }) => ({
      name,
      partitions: [0, 1, 2, 3].map((partitionIndex) => ({ partitionIndex, leaderId: 1, leaderEpoch: 3 }))
    }))
  }))
  transport.on(findCoordinator, ({ coordinatorKeys }) => ({
    coordinators: coordinatorKeys.map((key) => ({ key, nodeId: 1 }))
  }))
  transport.on(initProducerId, () => ({ producerId: 7, producerEpoch: 0 }))
  transport.on(produce, ({ topicData }) => ({
    responses: topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const baseOffset = ends.get(`${name}-${index}`) ?? 0
        ends.set(`${name}-${index}`, baseOffset + recordCount(records))
        return { index, baseOffset }
      })
    }))
  }))
  return { transport, context: createClientContext(transport, environment) }
}

/** An answer to a produce request that says the same of all its partitions. */
export function produceAnswer(
  { topicData }: RequestOf<typeof produce>,
  errorCode: number
): PartialOf<ResponseOf<typeof produce>> {
  return {
    responses: topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: errorCode === 0 ? 0 : -1 }))
    }))
  }
}

function recordCount(records: readonly Buffer[] | null): number {
  const countPosition = 57
  return records?.[0]?.readInt32BE(countPosition) ?? 0
}
