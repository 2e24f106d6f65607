import { realEnvironment, UsageError } from '@millrace/log'
import type { ConnectorEvent } from '../../../connector-event.ts'
import type { Source, SourceBatch, SourceReader, SourceRecord, SourceState } from '../../../source.ts'

const PATIENCE_MS = 90_000

/** An envelope of any table; of a message or a transaction, whatever fields it has. */
export interface ReadEnvelope {
  readonly op: string
  readonly before: Readonly<Record<string, unknown>>
  readonly after: Readonly<Record<string, unknown>>
  readonly source: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** A record with its bytes read. */
export interface ReadRecord {
  readonly topic: string
  readonly key: string | null
  /** What the bytes say, unchecked: a test that reads what is not there fails. */
  readonly value: ReadEnvelope
  readonly raw: SourceRecord
}

/**
 * Runs a source as the runtime does, without a log: what is committed is kept here. A `crash` loses what was read and not committed, and says no
 * goodbye to the database.
 */
export class SourceRig<Position> {
  readonly records: ReadRecord[] = []
  readonly events: ConnectorEvent[] = []
  readonly positions = new Map<string, Position>()
  readonly batchSizes: number[] = []
  readonly #state = new Map<string, Buffer>()
  #staged = new Map<string, Buffer | null>()
  #reader: SourceReader<Position> | undefined
  #pending: Promise<SourceBatch<Position> | undefined> | undefined
  #abort = new AbortController()
  keep = true
  count = 0

  async open(source: Source<Position>): Promise<void> {
    this.#abort = new AbortController()
    this.#staged.clear()
    this.#reader = await source.open(new Map(this.positions), {
      signal: this.#abort.signal,
      environment: realEnvironment(),
      state: this.#stateOf(),
      report: (event) => this.events.push(event)
    })
  }

  /** Reads and commits until the condition holds. */
  async until(condition: () => boolean, what = 'the condition'): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!condition()) {
      if (Date.now() > deadline) {
        throw new UsageError(
          `${what} did not come true: ${this.records.length} records, ${JSON.stringify(this.events)}`
        )
      }
      await this.step(deadline - Date.now())
    }
  }

  /** Reads and commits one batch. */
  async step(patienceMs = PATIENCE_MS): Promise<void> {
    const batch = await this.read(patienceMs)
    if (batch) await this.commit(batch)
  }

  /** Reads a batch; undefined when none comes in time. */
  async read(patienceMs = PATIENCE_MS): Promise<SourceBatch<Position> | undefined> {
    if (!this.#reader) throw new UsageError('not open')
    this.#pending ??= this.#reader.read()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, patienceMs, 'late')
    })
    try {
      const batch = await Promise.race([this.#pending, late])
      if (batch === 'late') return undefined
      this.#pending = undefined
      return batch
    } catch (error) {
      this.#pending = undefined
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  async commit(batch: SourceBatch<Position>): Promise<void> {
    this.batchSizes.push(batch.records.length)
    this.count += batch.records.length
    for (const record of this.keep ? batch.records : []) {
      this.records.push({
        topic: record.topic,
        key: record.key?.toString() ?? null,
        value: parse(record.value) as ReadEnvelope,
        raw: record
      })
    }
    for (const [split, position] of batch.positions) {
      if (position === null) this.positions.delete(split)
      else this.positions.set(split, JSON.parse(JSON.stringify(position)))
    }
    for (const [key, value] of this.#staged) {
      if (value === null) this.#state.delete(key)
      else this.#state.set(key, value)
    }
    this.#staged.clear()
    await this.#reader?.committed(
      new Map([...batch.positions].filter((entry) => entry[1] !== null) as [string, Position][])
    )
  }

  /** What was read and not committed is lost; the database notices nothing but that nobody is there. */
  async crash(): Promise<void> {
    await this.close()
    this.#pending = undefined
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#pending?.catch(() => undefined)
    this.#pending = undefined
    await this.#reader?.close()
    this.#reader = undefined
  }

  /** Records of a topic. */
  of(topic: string): ReadRecord[] {
    return this.records.filter((record) => record.topic === topic)
  }

  /** The table that the records of a topic make, by key. */
  // biome-ignore lint/suspicious/noExplicitAny: a row of any table
  table(topic: string): Map<string, any> {
    const rows = new Map()
    for (const { key, value } of this.of(topic)) {
      if (value?.op === 't') rows.clear()
      else if (key === null) continue
      else if (value === null || value.op === 'd') rows.delete(key)
      else rows.set(key, value.after)
    }
    return rows
  }

  get state(): ReadonlyMap<string, Buffer> {
    return this.#state
  }

  #stateOf(): SourceState {
    const committed = this.#state
    const staged = this.#staged
    const get = (key: string) => (staged.has(key) ? (staged.get(key) ?? undefined) : committed.get(key))
    return {
      get: (key) => get(key.toString('latin1')),
      set: (key, value) => void staged.set(key.toString('latin1'), value && Buffer.from(value)),
      async *scan(prefix) {
        const begin = prefix.toString('latin1')
        for (const key of [...new Set([...committed.keys(), ...staged.keys()])].sort()) {
          const value = key.startsWith(begin) ? get(key) : undefined
          if (value) yield [Buffer.from(key, 'latin1'), value] as const
        }
      }
    }
  }
}

function parse(value: Buffer | null): unknown {
  if (value === null) return null
  const text = value.toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
