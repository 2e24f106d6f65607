import { type FetchedPartition, type Log, partitionKey, type TopicPartition } from '@millrace/log'
import { CLICKS_TOPIC } from '../../../examples/01-click-aggregator/click-source.ts'
import { RESULTS_TOPIC } from '../../../examples/01-click-aggregator/results.ts'
import { demand } from '../simulation.ts'

const POLL_MS = 20

/**
 * Outlives all crashes and remembers what it was shown: every committed record, every committed offset of the group. None of it may vanish,
 * change or go back.
 */
export class Witness {
  readonly #application: string
  /** What the job reads and what it writes. */
  readonly #watched: readonly TopicPartition[]
  /** By partition, the text of each record by its offset. */
  readonly #seen: ReadonlyMap<string, Map<number, string>>
  readonly #groupOffsets = new Map<string, number>()

  constructor(application: string, partitions: number) {
    this.#application = application
    this.#watched = [CLICKS_TOPIC, RESULTS_TOPIC].flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    )
    this.#seen = new Map(
      this.#watched.map(({ topic, partition }) => [partitionKey(topic, partition), new Map<number, string>()])
    )
  }

  /** How many records it saw. */
  get records(): number {
    return [...this.#seen.values()].reduce((sum, records) => sum + records.size, 0)
  }

  /** Reads everything from the start to `ends` and compares; then goes on looking until `stopped`. */
  async watch(log: Log, stopped: () => boolean): Promise<void> {
    const consumer = log.consumer({ isolation: 'read_committed', fetchMaxWaitMs: POLL_MS })
    const admin = log.admin()
    const ends = await consumer.endOffsets(this.#watched, 'read_committed')
    for (const [partition, records] of this.#seen) {
      const next = (greatest(records.keys()) ?? -1) + 1
      demand(
        (ends.get(partition) ?? 0) >= next,
        () => `${partition} ends at ${ends.get(partition)}; read to ${next} before`
      )
    }
    consumer.assign(this.#watched)
    for (const partition of this.#watched) consumer.seek(partition, 0)
    while (!stopped()) {
      for (const fetched of await consumer.poll(POLL_MS)) this.#look(fetched)
      this.#compareOffsets(await admin.listGroupOffsets(this.#application))
    }
    await consumer.close()
    await admin.close()
  }

  #look(fetched: FetchedPartition): void {
    const name = partitionKey(fetched.topic, fetched.partition)
    const records = this.#seen.get(name) ?? new Map<number, string>()
    for (const batch of fetched.batches) {
      const cursor = batch.records()
      while (cursor.next()) {
        const text = `${cursor.timestamp} ${cursor.key()?.toString('latin1')} ${cursor.value()?.toString('latin1')}`
        const before = records.get(cursor.offset)
        demand(
          before === undefined || before === text,
          () => `${name} offset ${cursor.offset}: ${text}, before ${before}`
        )
        records.set(cursor.offset, text)
      }
    }
    // What was seen below the position is still there: the gaps are where they were.
    for (let offset = fetched.position; offset < fetched.nextOffset; offset++) this.#stillThere(name, offset, fetched)
  }

  #stillThere(name: string, offset: number, fetched: FetchedPartition): void {
    const lost =
      this.#seen.get(name)?.has(offset) === true &&
      !fetched.batches.some((batch) => batch.baseOffset <= offset && offset <= batch.lastOffset)
    demand(!lost, () => `${name} offset ${offset} was read before and is gone`)
  }

  #compareOffsets(offsets: ReadonlyMap<string, { readonly offset: number }>): void {
    for (const [partition, before] of this.#groupOffsets) {
      const now = offsets.get(partition)?.offset ?? -1
      demand(now >= before, () => `the group's offset of ${partition} went back from ${before} to ${now}`)
    }
    for (const [partition, { offset }] of offsets) this.#groupOffsets.set(partition, offset)
  }
}

function greatest(numbers: Iterable<number>): number | undefined {
  let result: number | undefined
  for (const number of numbers) if (result === undefined || number > result) result = number
  return result
}
