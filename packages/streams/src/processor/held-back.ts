import type { SuppressNode } from '../graph/suppress-node.ts'
import type { Buffered, BufferedSerde } from '../serde/buffered.ts'
import type { BufferStore, Timestamped } from '../state/store.ts'
import { BufferLoad } from './buffer-load.ts'
import { DueKeys } from './due-keys.ts'
import { emittedRecord } from './emitted-record.ts'
import { BufferFullError } from './errors.ts'
import { Change, type Forward } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/** The updates that a suppress holds back: one per key, in a store, and how they go on. */
export class HeldBack {
  readonly #node: SuppressNode
  readonly #context: ProcessorContext
  readonly #forward: Forward
  readonly #guarded: Forward
  readonly #store: BufferStore<unknown>
  readonly #load: BufferLoad
  readonly #next: DueKeys

  constructor(node: SuppressNode, context: ProcessorContext, forward: Forward) {
    this.#node = node
    this.#context = context
    this.#forward = forward
    this.#guarded = context.guardEmission(
      { node: node.name, encode: (record) => encodeEmission(node, record) },
      forward
    )
    this.#store = context.stores.held(node.store.name)
    this.#load = new BufferLoad(node.store, node.until.kind === 'time-limit' ? node.until : {})
    context.stage(this.#load)
    this.#next = new DueKeys(node.store.key)
  }

  /** The latest place ever held back from, -1 before. */
  get newestPlaceMs(): number {
    return this.#store.newestPlaceMs
  }

  get(key: unknown): Timestamped<Buffered> | undefined {
    return this.#store.get(key)
  }

  /** Holds an update back, in the place of the one of its key that was. */
  hold(key: unknown, update: Buffered, timestamp: number): void {
    const before = this.#store.get(key)
    if (before) this.#load.removed(key, before.value)
    else this.#next.add(update.placeMs, key)
    this.#store.put(key, update, timestamp)
    this.#load.added(key, update)
  }

  /** Lets a key's update go on. */
  release(key: unknown, held: Timestamped<Buffered>, to: Forward = this.#forward): void {
    const { oldValue, latestOldValue, newValue } = held.value
    const { until, oldValue: told } = this.#node
    // Who reads the row while the update goes on finds what it was before.
    if (newValue !== undefined || until.kind !== 'window-close') {
      to(emittedRecord(key, new Change(newValue, told === 'latest' ? latestOldValue : oldValue), held.timestamp))
    }
    this.#store.remove(key, held.timestamp)
    this.#load.removed(key, held.value)
  }

  /** Within a record: what is held back from before a time goes on, as far as it is known without a look at the disk. */
  releaseKnown(toMs: number): void {
    if (this.#context.mayGoOn) return
    for (const { key, placeMs } of this.#next.take(Math.min(toMs, this.#next.horizonMs))) {
      const held = this.#store.get(key)
      if (held?.value.placeMs === placeMs) this.release(key, held)
    }
  }

  /** At the commit: all that is held back from before a time goes on, then the oldest of what is above the bounds. */
  async releaseRest(toMs: number): Promise<void> {
    if (this.#context.mayGoOn || this.#next.horizonMs < toMs) {
      await this.#releaseBefore(toMs, () => true)
      await this.open()
    }
    const { until, name } = this.#node
    if (until.kind !== 'time-limit' || !this.#load.isBounded) return
    if (!this.#load.isKnown) await this.#load.count(this.#heldBefore(Number.POSITIVE_INFINITY), this.#store)
    if (!this.#load.isExceeded) return
    if (until.whenFull === 'stop') throw new BufferFullError(name, this.#load.now(), until)
    await this.#releaseBefore(Number.POSITIVE_INFINITY, () => this.#load.isExceeded)
  }

  /** Finds out what is next. */
  open(): Promise<void> | undefined {
    if (this.#context.mayGoOn) return undefined
    if (this.#store.newestPlaceMs >= 0) return this.#next.load(this.#heldBefore(Number.POSITIVE_INFINITY))
    this.#next.beginEmpty()
    return undefined
  }

  #heldBefore(toMs: number): ReturnType<ProcessorContext['stores']['heldBefore']> {
    return this.#context.stores.heldBefore(this.#node.store.name, toMs)
  }

  async #releaseBefore(toMs: number, goesOn: () => boolean): Promise<void> {
    for await (const page of this.#heldBefore(toMs)) {
      for (const { key } of page) {
        if (!goesOn()) return
        const held = this.#store.get(key)
        if (held !== undefined) this.release(key, held, this.#guarded)
      }
    }
  }
}

function encodeEmission(node: SuppressNode, record: Parameters<Forward>[0]) {
  const value = record.value instanceof Change ? record.value.newValue : record.value
  const serde = innerOf(node)
  return {
    key: node.store.key.encode(record.key),
    value: value === undefined || value === null || serde === undefined ? null : serde.encode(value)
  }
}

function innerOf({ store }: SuppressNode): BufferedSerde['inner'] | undefined {
  return isBufferedSerde(store.value) ? store.value.inner : undefined
}

function isBufferedSerde(serde: object): serde is BufferedSerde {
  return 'inner' in serde
}
