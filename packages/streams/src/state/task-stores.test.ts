import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryEnvironment, realEnvironment } from '@millrace/log'
import { SeededRandom } from '@millrace/log/testing'
import { afterAll, describe, expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { json } from '../serde/json.ts'
import type { Serde } from '../serde/serde.ts'
import { string } from '../serde/string.ts'
import type { StateEngine } from './engine.ts'
import { FileEngine } from './file-engine.ts'
import { LevelEngine } from './level-engine.ts'
import { MemoryEngine } from './memory-engine.ts'
import { TaskStores } from './task-stores.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-stores-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const key: Serde<unknown> = string()
const value: Serde<unknown> = json()
const definitions: readonly StoreDefinition[] = [
  { name: 'table', kind: 'key-value', key, value, named: true },
  { name: 'windows', kind: 'window', key, value, named: true, retentionMs: 400, windowSizeMs: 100 }
]

/** A model entry under `store/window start/key`. */
type Model = Map<string, { value: unknown; timestamp: number }>

const engines: readonly (readonly [string, number, () => () => Promise<StateEngine>])[] = [
  [
    'memory',
    100,
    () => {
      // What is in memory is lost with the process; here it stands for a disk, so that reopening finds it again.
      const engine = new MemoryEngine()
      return async () => engine
    }
  ],
  [
    'file',
    100,
    () => {
      const environment = memoryEnvironment()
      return () => FileEngine.open('/state', environment)
    }
  ],
  [
    'LevelDB',
    25,
    () => {
      const path = mkdtempSync(join(root, 'level-'))
      return () => LevelEngine.open(path, realEnvironment())
    }
  ]
]

describe.each(engines)('task stores over %s', (_, runs, makeOpener) => {
  it('answer like a map through commits, aborts, crashes and roll-backs', async () => {
    for (let seed = 0; seed < runs; seed++) await new ModelRun(seed, makeOpener()).play()
  })
})

/** Random operations on task stores and on plain maps, compared at every read. */
class ModelRun {
  readonly #random: SeededRandom
  readonly #open: () => Promise<StateEngine>
  #committed: Model = new Map()
  #current: Model = new Map()
  #floorMs = 0
  #committedFloorMs = 0
  #offset = 0
  #changelog: { store: string; key: Buffer; value: Buffer | null; timestamp: number }[] = []
  #stores: TaskStores | undefined

  constructor(seed: number, open: () => Promise<StateEngine>) {
    this.#random = new SeededRandom(seed)
    this.#open = open
  }

  async play(): Promise<void> {
    await this.#reopen()
    for (let step = 0; step < 120; step++) {
      const dice = this.#random.below(100)
      if (dice < 60) this.#record()
      else if (dice < 75) this.#readAll()
      else if (dice < 90) await this.#commit()
      else if (dice < 94) await this.#abort()
      else if (dice < 97) await this.#reopen()
      else await this.#checkCommitted()
    }
    await this.#commit()
    await this.#reopen()
    this.#readAll()
    await this.#checkCommitted()
    await this.#checkRestored()
    await this.#opened.close()
  }

  get #opened(): TaskStores {
    if (this.#stores === undefined) throw new TypeError('the stores are not open')
    return this.#stores
  }

  /** One source record: a few changes, taken back now and then. */
  #record(): void {
    const stores = this.#opened
    stores.mark()
    const before = new Map(this.#current)
    for (let i = this.#random.below(4); i >= 0; i--) this.#change()
    if (!this.#random.chance(0.2)) return
    stores.rollback()
    this.#current = before
  }

  #change(): void {
    const name = `k${this.#random.below(12)}`
    const timestamp = this.#random.below(1000)
    const next = this.#random.chance(0.2) ? null : { n: this.#random.below(100) }
    if (this.#random.chance(0.5)) {
      if (this.#random.chance(0.5)) this.#expectSame('table', 0, name)
      this.#opened.keyValue('table').put(name, next, timestamp)
      this.#model('table', 0, name, next, timestamp)
    } else {
      const startMs = this.#floorMs + (this.#random.below(6) - 1) * 100
      if (startMs < 0) return
      if (this.#random.chance(0.5)) this.#expectSame('windows', startMs, name)
      this.#opened.window('windows').put(name, startMs, next, timestamp)
      if (startMs >= this.#floorMs) this.#model('windows', startMs, name, next, timestamp)
    }
  }

  #model(store: string, startMs: number, name: string, next: unknown, timestamp: number): void {
    if (next === null) this.#current.delete(`${store}/${startMs}/${name}`)
    else this.#current.set(`${store}/${startMs}/${name}`, { value: next, timestamp })
  }

  #expectSame(store: string, startMs: number, name: string): void {
    const stores = this.#opened
    const actual = store === 'table' ? stores.keyValue(store).get(name) : stores.window(store).get(name, startMs)
    expect(actual).toEqual(this.#current.get(`${store}/${startMs}/${name}`))
  }

  #readAll(): void {
    for (let k = 0; k < 12; k++) {
      this.#expectSame('table', 0, `k${k}`)
      for (let window = -2; window < 6; window++) this.#expectSame('windows', this.#floorMs + window * 100, `k${k}`)
    }
  }

  async #commit(): Promise<void> {
    const stores = this.#opened
    await this.#checkClosing()
    if (this.#random.chance(0.3)) {
      this.#floorMs += 100
      stores.expire('windows', this.#floorMs)
      for (const id of this.#current.keys()) {
        if (id.startsWith('windows/') && Number(id.split('/')[1]) < this.#floorMs) this.#current.delete(id)
      }
    }
    stores.changes(({ name }, keyBytes, valueBytes, timestamp) => {
      this.#changelog.push({
        store: name,
        key: Buffer.from(keyBytes),
        value: valueBytes && Buffer.from(valueBytes),
        timestamp
      })
    })
    this.#offset++
    const position = { offset: this.#offset, leaderEpoch: 3 }
    const changelogOffsets = new Map([...this.#ofBoth(position)])
    await stores.apply({ changelogOffsets, time: Buffer.from(`time ${this.#offset}`), nowMs: 1000 + this.#offset })
    expect(stores.bufferedBytes).toBe(0)
    this.#committed = new Map(this.#current)
    this.#committedFloorMs = this.#floorMs
  }

  *#ofBoth<T>(each: T): Generator<[string, T]> {
    yield ['table', each]
    yield ['windows', each]
  }

  async #abort(): Promise<void> {
    await this.#opened.discard()
    this.#current = new Map(this.#committed)
    this.#floorMs = this.#committedFloorMs
  }

  /** As after a crash: what was not committed is gone. */
  async #reopen(): Promise<void> {
    await this.#stores?.close()
    this.#stores = await TaskStores.open({ definitions, engine: await this.#open(), cacheEntries: 20 })
    this.#current = new Map(this.#committed)
    this.#floorMs = this.#committedFloorMs
    for (const [store] of this.#ofBoth(0)) this.#stores.setIdentity(store, { clusterId: 'c', topicId: store })
    if (this.#offset === 0) return
    const position = { offset: this.#offset, leaderEpoch: 3, committedAtMs: 1000 + this.#offset }
    expect(this.#stores.timeState()?.toString()).toBe(`time ${this.#offset}`)
    expect(this.#stores.identity('table')).toEqual({ clusterId: 'c', topicId: 'table', ...position })
  }

  async #checkClosing(): Promise<void> {
    const fromMs = this.#floorMs + this.#random.below(3) * 100
    const toMs = fromMs + this.#random.below(4) * 100
    const actual: string[] = []
    for await (const page of this.#opened.windowsClosing('windows', fromMs, toMs)) {
      for (const { key, windowStartMs, value } of page) actual.push(`${windowStartMs}/${key} ${JSON.stringify(value)}`)
    }
    expect(actual).toEqual(listing(this.#current, 'windows', (startMs) => startMs >= fromMs && startMs < toMs))
  }

  async #checkCommitted(): Promise<void> {
    for (const [store] of this.#ofBoth(0)) {
      const actual: string[] = []
      for await (const page of this.#opened.committed(store).all()) {
        for (const { key, windowStartMs, value, timestamp } of page) {
          actual.push(`${windowStartMs}/${key} ${JSON.stringify({ value, timestamp })}`)
        }
      }
      expect(actual).toEqual(listing(this.#committed, store, () => true))
    }
    const fetched: number[] = []
    const until = this.#floorMs + 200
    for await (const page of this.#opened.committed('windows').fetch('k3', { fromMs: 0, toMs: until })) {
      for (const { windowStartMs } of page) fetched.push(windowStartMs)
    }
    const expected = listing(this.#committed, 'windows', (startMs) => startMs <= until)
      .filter((line) => line.includes('/k3 '))
      .map((line) => Number(line.split('/')[0]))
    expect(fetched).toEqual(expected)
  }

  /** The changelog alone gives the same state, twice as well as once. */
  async #checkRestored(): Promise<void> {
    const restored = await TaskStores.open({ definitions, engine: new MemoryEngine() })
    for (let round = 0; round < 2; round++) {
      for (const [store] of this.#ofBoth(0)) {
        const records = this.#changelog.filter((record) => record.store === store)
        await restored.restore(store, records, { offset: this.#offset, leaderEpoch: 3, nowMs: 7 })
      }
    }
    restored.expire('windows', this.#floorMs)
    for (const id of ['table/0/k1', ...this.#current.keys()]) {
      const [store, startMs, name] = id.split('/')
      const actual =
        store === 'table' ? restored.keyValue(store).get(name) : restored.window(store).get(name, Number(startMs))
      expect(actual).toEqual(this.#current.get(id))
    }
    let entries = 0
    for await (const page of restored.committed('table').all()) entries += page.length
    expect(entries).toBe(listing(this.#committed, 'table', () => true).length)
  }
}

function listing(model: Model, store: string, wanted: (startMs: number) => boolean): string[] {
  return [...model]
    .map(([id, found]) => ({ parts: id.split('/'), found }))
    .filter(({ parts }) => parts[0] === store && wanted(Number(parts[1])))
    .sort((a, b) => Number(a.parts[1]) - Number(b.parts[1]) || (a.parts[2] < b.parts[2] ? -1 : 1))
    .map(({ parts, found }) => `${parts[1]}/${parts[2]} ${JSON.stringify(found)}`)
}
