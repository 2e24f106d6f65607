import { type Consumer, type Log, type Producer, partitionKey } from '@millrace/log'
import type { SinkOffset, SinkPartition } from '../sink.ts'
import { sleep } from '../sleep.ts'
import type { TargetState } from './connector-state.ts'
import { CONFIGS_TOPIC, ensureCompacted } from './names.ts'
import { readToEnd, recordsOf } from './read-topic.ts'

/** What a connector is, as its last runner has written it down. */
export interface ConnectorDescription {
  readonly type: 'source' | 'sink'
  /** Of a sink: who keeps its offsets. */
  readonly delivery?: 'transactional' | 'idempotent'
  /** Of a sink: what it reads. */
  readonly topics?: readonly string[] | string
  /** Where its dead letters go. */
  readonly deadLetters?: string
}

/** What the log says of one connector. */
export interface ConnectorConfig {
  readonly description: ConnectorDescription | undefined
  readonly target: TargetState
  /** Offsets that a transactional sink's next start is to begin at. */
  readonly edit: readonly SinkOffset[]
}

const EMPTY: ConnectorConfig = { description: undefined, target: 'STARTED', edit: [] }
const PREFIXES = {
  description: 'connector-',
  target: 'target-state-',
  edit: 'offsets-edit-'
} as const
type Kind = keyof typeof PREFIXES
/** Between a connector's name, which has none, and a partition's. */
const PLACE = '/'

/** What operators want, and what is known of connectors: `connect-configs`, read at the start and followed after. */
export class ConnectorConfigs {
  readonly #log: Log
  readonly #producer: Producer
  readonly #configs = new Map<string, ConnectorConfig>()
  #nextOffset = 0
  #follower: Follower | undefined

  private constructor(log: Log) {
    this.#log = log
    this.#producer = log.producer()
  }

  /** Reads all of it. */
  static async open(log: Log): Promise<ConnectorConfigs> {
    await ensureCompacted(log, CONFIGS_TOPIC, 1)
    const configs = new ConnectorConfigs(log)
    for await (const { records, nextOffset } of readToEnd(log, { topic: CONFIGS_TOPIC, partitions: [0] })) {
      for (const { key, value } of records) configs.#take(key, value)
      configs.#nextOffset = nextOffset
    }
    return configs
  }

  /** Connectors that the log knows. */
  names(): readonly string[] {
    return [...this.#configs].flatMap(([name, { description }]) => (description === undefined ? [] : [name])).sort()
  }

  of(name: string): ConnectorConfig {
    return this.#configs.get(name) ?? EMPTY
  }

  /** Calls `changed` with the name of each connector that somebody, perhaps another process, wants something of. */
  follow(changed: (name: string, what: Kind) => void): void {
    this.#follower = new Follower(this.#log, this.#nextOffset, (key, value) => {
      const taken = this.#take(key, value)
      if (taken !== undefined) changed(taken.name, taken.kind)
    })
  }

  async describe(name: string, description: ConnectorDescription): Promise<void> {
    if (JSON.stringify(this.of(name).description) === JSON.stringify(description)) return
    await this.#write('description', name, description)
  }

  setTarget(name: string, state: TargetState): Promise<void> {
    return this.#write('target', name, { state })
  }

  /** Of each partition only the last edit counts. */
  async setEdit(name: string, offsets: readonly SinkOffset[]): Promise<void> {
    for (const { offset, ...place } of offsets) await this.#write('edit', editName(name, place), { ...place, offset })
  }

  /** The target has the offsets of these partitions: there is nothing to edit of them any more. */
  async clearEdit(name: string, partitions: readonly SinkPartition[]): Promise<void> {
    for (const place of partitions) await this.#write('edit', editName(name, place), null)
  }

  async close(): Promise<void> {
    await this.#follower?.close()
    await this.#producer.close()
  }

  async #write(kind: Kind, name: string, value: unknown): Promise<void> {
    const key = Buffer.from(`${PREFIXES[kind]}${name}`)
    const bytes = value === null ? null : Buffer.from(JSON.stringify(value))
    await this.#producer.send({ topic: CONFIGS_TOPIC, partition: 0, key, value: bytes })
    this.#take(key, bytes)
  }

  #take(key: Buffer | null, value: Buffer | null): { readonly name: string; readonly kind: Kind } | undefined {
    const text = key?.toString('utf8') ?? ''
    const kind = (['description', 'target', 'edit'] as const).find((one) => text.startsWith(PREFIXES[one]))
    if (kind === undefined) return undefined
    const [name, place = ''] = text.slice(PREFIXES[kind].length).split(PLACE)
    const config = this.of(name)
    const parsed = value === null ? undefined : JSON.parse(value.toString('utf8'))
    if (kind === 'description') this.#configs.set(name, { ...config, description: parsed })
    if (kind === 'target') this.#configs.set(name, { ...config, target: parsed?.state ?? 'STARTED' })
    if (kind === 'edit') {
      const others = config.edit.filter((one) => partitionKey(one.topic, one.partition) !== place)
      this.#configs.set(name, { ...config, edit: parsed === undefined ? others : [...others, parsed] })
    }
    return { name, kind }
  }
}

function editName(name: string, { topic, partition }: SinkPartition): string {
  return `${name}${PLACE}${partitionKey(topic, partition)}`
}

const POLL_MS = 500

/** Reads on, until it is closed. */
class Follower {
  readonly #log: Log
  readonly #consumer: Consumer
  readonly #finished: Promise<void>
  readonly #closing = new AbortController()

  constructor(log: Log, fromOffset: number, take: (key: Buffer | null, value: Buffer | null) => void) {
    this.#log = log
    this.#consumer = log.consumer({ isolation: 'read_committed' })
    const place = { topic: CONFIGS_TOPIC, partition: 0 }
    this.#consumer.assign([place])
    this.#consumer.seek(place, fromOffset)
    this.#finished = this.#read(take)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#consumer.close()
    await this.#finished
  }

  async #read(take: (key: Buffer | null, value: Buffer | null) => void): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        for (const fetched of await this.#consumer.poll(POLL_MS)) {
          for (const { key, value } of recordsOf(fetched)) take(key, value)
        }
      } catch {
        // A log that is being closed, or one that does not answer: connectors themselves say so.
        await sleep(this.#log.environment, POLL_MS, this.#closing.signal)
      }
    }
  }
}
