import { CheckedEngine, checksumBytes, type StateEngine } from '@millrace/streams'
import type { SourceState } from '../source.ts'

/** Changes of the state that belong to one batch, by the key's bytes as latin1. */
export interface StateStage {
  readonly number: number
  readonly changes: ReadonlyMap<string, Buffer | null>
}

/** How far the entries on the engine go: the committed offset of the state's topic that they hold. */
export interface StateMark {
  readonly topicId: string
  readonly offset: number
  /** When it was written, milliseconds since the epoch. */
  readonly atMs: number
}

const ENTRY = 0x02
const MARK_KEY = Buffer.from([0x01])
const ALL_ENTRIES = { gte: Buffer.from([0x01]), lt: Buffer.from([0x03]) }

/**
 * The state of a source: entries on an engine, which hold what was committed, and above them what is staged in batches that are not. A
 * batch's changes go to the engine when its transaction was committed, in one atomic write with the offset of the state's topic.
 */
export class StagedState implements SourceState {
  readonly #openEngine: () => Promise<StateEngine>
  #engine: CheckedEngine | undefined
  /** The newest value of each key that is not on the engine yet, and the stage it belongs to. */
  readonly #staged = new Map<string, { readonly value: Buffer | null; readonly stage: number }>()
  #changes = new Map<string, Buffer | null>()
  #stage = 1

  /** @param openEngine called when there is something to keep, at the latest by `load`: most sources remember nothing. */
  constructor(openEngine: () => Promise<StateEngine>) {
    this.#openEngine = openEngine
  }

  /** Opens the engine. @throws StoreDamagedError */
  async load(): Promise<CheckedEngine> {
    this.#engine ??= await this.#openChecked()
    return this.#engine
  }

  get(key: Buffer): Buffer | undefined {
    const staged = this.#staged.get(key.toString('latin1'))
    return staged === undefined ? this.#engine?.get(entryKey(key)) : (staged.value ?? undefined)
  }

  set(key: Buffer, value: Buffer | null): void {
    const name = key.toString('latin1')
    this.#changes.set(name, value)
    this.#staged.set(name, { value, stage: this.#stage })
  }

  async *scan(prefix: Buffer): AsyncGenerator<readonly [Buffer, Buffer]> {
    const text = prefix.toString('latin1')
    const staged = [...this.#staged].filter(([name]) => name.startsWith(text)).sort(byName)
    let at = 0
    const gte = entryKey(prefix)
    for await (const page of this.#engine?.pages({ gte, lt: after(gte) }) ?? []) {
      for (const [key, value] of page) {
        const name = key.toString('latin1', 1)
        for (; at < staged.length && staged[at][0] < name; at++) yield* entryOf(staged[at])
        if (at < staged.length && staged[at][0] === name) yield* entryOf(staged[at++])
        else yield [key.subarray(1), value]
      }
    }
    for (; at < staged.length; at++) yield* entryOf(staged[at])
  }

  /** What was changed since the last call: it belongs to the batch that was read meanwhile. */
  take(): StateStage {
    const stage = { number: this.#stage, changes: this.#changes }
    if (this.#changes.size > 0) {
      this.#changes = new Map()
      this.#stage++
    }
    return stage
  }

  /** The stage's transaction, and all before it, are committed: their changes are for good. */
  async apply(changes: ReadonlyMap<string, Buffer | null>, upTo: number, mark: StateMark): Promise<void> {
    await this.restore(changes, mark)
    for (const name of changes.keys()) {
      const staged = this.#staged.get(name)
      if (staged !== undefined && staged.stage <= upTo) this.#staged.delete(name)
    }
  }

  /** Takes over what the topic holds, up to the mark. */
  async restore(changes: ReadonlyMap<string, Buffer | null>, mark: StateMark): Promise<void> {
    const engine = await this.load()
    await engine.write((take) => {
      take(MARK_KEY, sealed(Buffer.from(JSON.stringify(mark))))
      for (const [name, value] of changes) {
        take(entryKey(Buffer.from(name, 'latin1')), value === null ? null : sealed(value))
      }
    })
  }

  /** How far the engine is; undefined for an empty one. */
  mark(): StateMark | undefined {
    const value = this.#engine?.get(MARK_KEY)
    if (value === undefined) return undefined
    const { topicId, offset, atMs } = JSON.parse(value.toString('utf8'))
    return { topicId, offset, atMs }
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    const engine = await this.load()
    await engine.clear(ALL_ENTRIES)
  }

  async close(): Promise<void> {
    await this.#engine?.close()
  }

  async #openChecked(): Promise<CheckedEngine> {
    const engine = await this.#openEngine()
    try {
      return await CheckedEngine.open(engine)
    } catch (error) {
      await engine.close()
      throw error
    }
  }
}

function entryKey(key: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(1 + key.length)
  bytes[0] = ENTRY
  key.copy(bytes, 1)
  return bytes
}

/** The first key behind all that begin with the prefix. Entries have a first byte, so there is one. */
function after(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix)
  let last = end.length - 1
  while (end[last] === 0xff) last--
  end[last]++
  return end.subarray(0, last + 1)
}

/** The bytes with room for the checksum. */
function sealed(value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(value.length + checksumBytes)
  value.copy(bytes, 0)
  return bytes
}

type StagedEntry = readonly [string, { readonly value: Buffer | null }]

function* entryOf([name, { value }]: StagedEntry): Generator<readonly [Buffer, Buffer]> {
  if (value !== null) yield [Buffer.from(name, 'latin1'), value]
}

function byName([a]: StagedEntry, [b]: StagedEntry): number {
  return a < b ? -1 : 1
}
