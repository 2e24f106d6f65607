import assert from 'node:assert/strict'
import { TransientSinkError } from '../errors.ts'
import type { SinkConnector } from '../runtime/connector.ts'
import type { SinkOffset } from '../sink.ts'
import type { CrashingLog } from './crashing-log.ts'
import { eventually } from './patience.ts'
import type { SinkRecordContent, SinkUnderTest } from './sink-contract.ts'

const FAST = { commitInterval: 20, backoff: { firstMs: 5, maxMs: 50 } } as const
const PARTITIONS = 4

/** A sink under test, the log that it reads, and what should be in the target. */
export class SinkScene {
  readonly under: SinkUnderTest
  readonly log: CrashingLog
  readonly topic: string
  readonly #rows = new Map<string, string>()
  /** By partition, so that a record's place can be named. */
  readonly #ends = new Array<number>(PARTITIONS).fill(0)
  #versions = 0

  constructor(under: SinkUnderTest, log: CrashingLog) {
    this.under = under
    this.log = log
    this.topic = under.topic ?? 'in'
  }

  connector(options: Partial<SinkConnector> = {}): SinkConnector {
    return { ...FAST, ...this.under.options, sink: this.under.sink(), topics: [this.topic], ...options }
  }

  /** Writes so many records to the log: of a table also updates and deletes of rows that are there. */
  async produce(count: number): Promise<void> {
    const contents: [number, SinkRecordContent][] = []
    for (let i = 0; i < count; i++) {
      const version = this.#versions++
      const upsert = this.under.mode === 'upsert'
      // Of three records one is new, one is an update, and some are deletes.
      const id = upsert ? `row-${version % 3 === 0 ? version : version % 7}` : `row-${version}`
      const content = upsert && version % 11 === 10 ? null : `content-${version}`
      if (content === null) this.#rows.delete(id)
      else this.#rows.set(id, content)
      contents.push([partitionOf(id), this.under.record(id, content)])
    }
    await this.write(contents)
  }

  /** Writes records to partitions. @returns the offset of the first. */
  async write(contents: readonly (readonly [partition: number, SinkRecordContent])[]): Promise<number> {
    const admin = this.log.log.admin()
    await admin.ensureTopic({ name: this.topic, partitions: PARTITIONS })
    const producer = this.log.log.producer()
    const [first] = contents
    const offset = first === undefined ? 0 : this.#ends[first[0]]
    for (const [partition, { key, value, headers }] of contents) {
      producer.enqueue(this.topic, partition, key, value, 1_700_000_000_000, headers)
      this.#ends[partition]++
    }
    await producer.flush()
    await producer.close()
    return offset
  }

  /** Deletes the topic and makes it anew, empty. */
  async replaceTopic(): Promise<void> {
    const admin = this.log.log.admin()
    await admin.deleteTopics([this.topic])
    await admin.ensureTopic({ name: this.topic, partitions: PARTITIONS })
    await admin.close()
    this.#ends.fill(0)
  }

  /** Waits for something as long as the one under test may take. @throws NotYetError */
  eventually<T>(what: string, ask: () => Promise<T> | T, right: (answer: T) => boolean): Promise<T> {
    return eventually(what, ask, right, this.under.patienceMs)
  }

  /** What the target holds, sorted. */
  async rows(): Promise<readonly (readonly [id: string, content: string])[]> {
    return (await this.under.read()).toSorted(byId)
  }

  /** Opens all partitions with another sink, as a new runner would, and closes it. @returns the offsets of the target, sorted. */
  async openElsewhere(): Promise<readonly SinkOffset[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: this.topic, partition }))
    const { environment } = this.log.log
    const { signal } = new AbortController()
    const opened = await this.eventually(
      'the target to be opened by another one',
      async () => {
        const sink = this.under.sink()
        try {
          return { offsets: (await sink.open(partitions, { signal, environment, report: () => undefined })) ?? [] }
        } catch (error) {
          // A target that is locked by the one that was killed is opened later, as a runner does it.
          if (error instanceof TransientSinkError) return undefined
          throw error
        } finally {
          await sink.close()
        }
      },
      (found) => found !== undefined
    )
    return (opened?.offsets ?? []).toSorted((one, other) => one.partition - other.partition)
  }

  /** Waits until the target is as the log says, and checks that nothing was changed twice. */
  async everythingOnce(): Promise<void> {
    const expected = JSON.stringify([...this.#rows].sort(byId))
    const held = await this.eventually(
      `${this.#rows.size} rows in the target`,
      () => this.rows(),
      (rows) => JSON.stringify(rows) === expected
    )
    assert.deepEqual(held, [...this.#rows].sort(byId))
    if (this.under.sink().delivery === 'transactional') await this.nothingTwice()
  }

  /** Of a transactional sink: each change has reached the target once. */
  async nothingTwice(): Promise<void> {
    const changes = (await this.under.changes?.()) ?? []
    const seen = new Set<string>()
    const twice = changes.filter((change) => {
      // Deletes of one row look alike.
      if (change.endsWith(' null') || !seen.has(change)) {
        seen.add(change)
        return false
      }
      return true
    })
    assert.deepEqual(twice, [], 'changes that the target has seen twice')
  }

  async close(): Promise<void> {
    await this.log.close()
    await this.under.close()
  }
}

function partitionOf(id: string): number {
  return Number(id.split('-')[1]) % PARTITIONS
}

function byId([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
