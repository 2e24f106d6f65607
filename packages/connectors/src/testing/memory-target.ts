import { partitionKey } from '@millrace/log'
import { PoisonousRecordError, SinkFencedError, TransientSinkError } from '../errors.ts'
import type { Sink, SinkOffset, SinkPartition, SinkRecord } from '../sink.ts'
import type { SinkRecordContent, SinkUnderTest } from './sink-contract.ts'

const POISON = 'poison'

/**
 * A target in memory: a table, and, for the transactional sink, the offsets and epochs beside it. The smallest sinks that keep the whole
 * contract, to look at and to test the suite itself by.
 */
export class MemoryTarget implements SinkUnderTest {
  readonly mode = 'upsert'
  readonly #delivery: Sink['delivery']
  readonly #rows = new Map<string, string>()
  readonly #offsets = new Map<string, Omit<SinkOffset, keyof SinkPartition>>()
  readonly #epochs = new Map<string, number>()
  readonly #changes: string[] = []
  #away = false

  constructor(delivery: Sink['delivery']) {
    this.#delivery = delivery
  }

  sink(): Sink {
    return this.#delivery === 'transactional' ? this.#transactional() : this.#idempotent()
  }

  record(id: string, content: string | null): SinkRecordContent {
    return { key: Buffer.from(id), value: content === null ? null : Buffer.from(content) }
  }

  poison(): SinkRecordContent {
    return { key: Buffer.from(POISON), value: Buffer.from(POISON) }
  }

  async read(): Promise<readonly (readonly [string, string])[]> {
    return [...this.#rows]
  }

  async changes(): Promise<readonly string[]> {
    return this.#changes
  }

  async away(): Promise<void> {
    this.#away = true
  }

  async back(): Promise<void> {
    this.#away = false
  }

  async close(): Promise<void> {}

  #idempotent(): Sink {
    return {
      name: 'memory-table',
      delivery: 'idempotent',
      open: async () => this.#requireThere(),
      write: async (batch) => this.#apply(batch),
      close: async () => {}
    }
  }

  #transactional(): Sink {
    const mine = new Map<string, number>()
    const topicIds = new Map<string, string | undefined>()
    const move = (offsets: readonly SinkOffset[]) => {
      for (const place of offsets) {
        this.#offsets.set(keyOf(place), { offset: place.offset, topicId: topicIds.get(place.topic) })
      }
    }
    return {
      name: 'memory-table',
      delivery: 'transactional',
      open: async (partitions) => {
        this.#requireThere()
        for (const place of partitions) {
          const epoch = (this.#epochs.get(keyOf(place)) ?? 0) + 1
          this.#epochs.set(keyOf(place), epoch)
          mine.set(keyOf(place), epoch)
          topicIds.set(place.topic, place.topicId)
        }
        return partitions.flatMap(({ topic, partition }) => {
          const stored = this.#offsets.get(keyOf({ topic, partition }))
          return stored === undefined ? [] : [{ topic, partition, ...stored }]
        })
      },
      write: async (batch, offsets) => {
        this.#requireThere()
        for (const place of offsets) {
          const epoch = mine.get(keyOf(place)) ?? 0
          if (this.#epochs.get(keyOf(place)) !== epoch) throw new SinkFencedError('memory-table', epoch)
        }
        this.#apply(batch)
        move(offsets)
      },
      moveOffsets: async (offsets) => move(offsets),
      close: async () => mine.clear()
    }
  }

  #apply(batch: readonly SinkRecord[]): void {
    this.#requireThere()
    const bad = batch.find(({ key }) => String(key) === POISON)
    if (bad !== undefined) throw new PoisonousRecordError(bad, 'it is poison')
    for (const { key, value } of batch) {
      const id = String(key)
      if (value === null) this.#rows.delete(id)
      else this.#rows.set(id, value.toString())
      this.#changes.push(`${id} ${value}`)
    }
  }

  #requireThere(): void {
    if (this.#away) throw new TransientSinkError('the table in memory is away')
  }
}

function keyOf({ topic, partition }: SinkPartition): string {
  return partitionKey(topic, partition)
}
