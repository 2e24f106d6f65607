import type { SuppressNode } from '../graph/suppress-node.ts'
import type { Buffered, BufferedSerde } from '../serde/buffered.ts'
import { Windowed } from '../serde/windowed.ts'
import type { Timestamped } from '../state/store.ts'
import { BufferLoad } from './buffer-load.ts'
import { DueKeys } from './due-keys.ts'
import { emittedRecord } from './emitted-record.ts'
import { BufferFullError } from './errors.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Holds updates back, the last of each key, with its timestamp. An update is due, by the stream time of this operator in this task,
 *
 * - until the window closes: once the window's end is the grace (and of sessions the gap) past. A deletion is then dropped.
 * - until a time limit: once the timestamp of the key's first update since the last emission is the limit past. Updates that follow take its place
 *   and do not move the time. A deletion is an update.
 *
 * What is due goes on within the record that makes it so, once that is held back itself: by the time it was held back from and then by the key's bytes.
 * What is not known to be due without a look at the disk (of a buffer that is larger than memory allows) goes on at the commit, or just before the
 * key's next update is held back; so does everything where an error policy may go on without it. What goes on per key is the same. A full buffer is looked after
 * at the commit, after what is due went on.
 *
 * Until the window closes, an idle suppress may take all windows as closed that it holds back: what comes for them then is late.
 */
export function suppressProcessor(node: SuppressNode, context: ProcessorContext, forward: Forward): Processor {
  const time = context.operatorTime(node.name)
  context.stage(time)
  const store = context.stores.held(node.store.name)
  const load = new BufferLoad(node.store, node.until.kind === 'time-limit' ? node.until : {})
  context.stage(load)
  const next = new DueKeys(node.store.key)
  let isIdle = false
  const { until } = node
  const delayMs = until.kind === 'window-close' ? until.delayMs : until.limitMs
  const isClose = until.kind === 'window-close'
  const tellsLatest = node.oldValue === 'latest'
  const dropped = context.dropCounter(node.name)
  const guarded = context.guardEmission({ node: node.name, encode: (record) => encodeEmission(node, record) }, forward)

  const release = (key: unknown, held: Timestamped<Buffered>, to: Forward): void => {
    const { oldValue, latestOldValue, newValue } = held.value
    // Who reads the row while the update goes on finds what it was before.
    if (newValue !== undefined || !isClose) {
      to(emittedRecord(key, new Change(newValue, tellsLatest ? latestOldValue : oldValue), held.timestamp))
    }
    store.remove(key, held.timestamp)
    load.removed(key, held.value)
  }

  const releaseKnown = (): void => {
    if (context.mayGoOn) return
    for (const { key, placeMs } of next.take(Math.min(time.observedMs - delayMs + 1, next.horizonMs))) {
      const held = store.get(key)
      if (held?.value.placeMs === placeMs) release(key, held, forward)
    }
  }

  const process: Forward = (record) => {
    const { key, timestamp, value: change } = record
    if (!(change instanceof Change)) return
    if (isClose && key instanceof Windowed && key.endMs <= time.closedMs) return dropped.add('late')
    isIdle = false
    let held = store.get(key)
    if (held !== undefined && held.value.placeMs <= time.observedMs - delayMs) {
      release(key, held, forward)
      held = undefined
    }
    if (timestamp > time.observedMs) time.observedMs = timestamp
    const placeMs = held?.value.placeMs ?? (isClose && key instanceof Windowed ? key.endMs : timestamp)
    const oldValue = held ? held.value.oldValue : change.oldValue
    const { newValue, oldValue: latestOldValue } = change
    const update: Buffered = tellsLatest
      ? { placeMs, oldValue, latestOldValue, newValue }
      : { placeMs, oldValue, newValue }
    if (held) load.removed(key, held.value)
    else next.add(placeMs, key)
    store.put(key, update, timestamp)
    load.added(key, update)
    releaseKnown()
  }

  const releaseBefore = async (toMs: number, goesOn: () => boolean): Promise<void> => {
    for await (const page of context.stores.heldBefore(node.store.name, toMs)) {
      for (const { key } of page) {
        if (!goesOn()) return
        const held = store.get(key)
        if (held !== undefined) release(key, held, guarded)
      }
    }
  }

  const allHeld = () => context.stores.heldBefore(node.store.name, Number.POSITIVE_INFINITY)
  const releaseDue = async (toMs: number): Promise<void> => {
    await releaseBefore(toMs, () => true)
    if (!context.mayGoOn) await next.load(allHeld())
  }

  const flush = async (): Promise<void> => {
    if (isIdle) closeIdle()
    const dueMs = time.observedMs - delayMs + 1
    if (context.mayGoOn || next.horizonMs < dueMs) await releaseDue(dueMs)
    if (until.kind !== 'time-limit' || !load.isBounded) return
    if (!load.isKnown) await load.count(allHeld(), store)
    if (!load.isExceeded) return
    if (until.whenFull === 'stop') throw new BufferFullError(node.name, load.now(), until)
    await releaseBefore(Number.POSITIVE_INFINITY, () => load.isExceeded)
  }
  // What the aggregation above has for the commit comes first: the flush goes from above to below.
  const idle = (): void => {
    isIdle = true
    context.requestCommit()
  }
  const closeIdle = (): void => {
    isIdle = false
    if (store.newestPlaceMs <= time.closedMs) return
    time.closedMs = store.newestPlaceMs
    time.observedMs = Math.max(time.observedMs, time.closedMs + delayMs)
    releaseKnown()
  }
  const open = () => (store.newestPlaceMs < 0 ? next.beginEmpty() : next.load(allHeld()))
  return { process, flush, idle, ...(!context.mayGoOn && { open: () => open() ?? undefined }) }
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
