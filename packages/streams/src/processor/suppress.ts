import type { SuppressNode } from '../graph/suppress-node.ts'
import type { Buffered, BufferedSerde } from '../serde/buffered.ts'
import { Windowed } from '../serde/windowed.ts'
import type { Timestamped } from '../state/store.ts'
import { BufferLoad } from './buffer-load.ts'
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
 * What is due goes on at the commit, by the time it was held back from and then by the key's bytes; or, if the key is updated again before that,
 * just before that update is held back. So what goes on per key does not depend on when commits happen. A full buffer is looked after at the commit
 * too, after what is due went on.
 */
export function suppressProcessor(node: SuppressNode, context: ProcessorContext, forward: Forward): Processor {
  const time = context.operatorTime(node.name)
  context.stage(time)
  const store = context.stores.held(node.store.name)
  const load = new BufferLoad(node.store, node.until.kind === 'time-limit' ? node.until : {})
  context.stage(load)
  const { until } = node
  const delayMs = until.kind === 'window-close' ? until.delayMs : until.limitMs
  const isClose = until.kind === 'window-close'
  const guarded = context.guardEmission({ node: node.name, encode: (record) => encodeEmission(node, record) }, forward)

  const release = (key: unknown, held: Timestamped<Buffered>, to: Forward): void => {
    store.remove(key, held.timestamp)
    load.removed(key, held.value)
    const { oldValue, newValue } = held.value
    if (newValue === undefined && isClose) return
    to(emittedRecord(key, new Change(newValue, oldValue), held.timestamp))
  }

  const process: Forward = (record) => {
    const { key, timestamp, value: change } = record
    if (!(change instanceof Change)) return
    let held = store.get(key)
    if (held !== undefined && held.value.placeMs <= time.observedMs - delayMs) {
      release(key, held, forward)
      held = undefined
    }
    if (timestamp > time.observedMs) time.observedMs = timestamp
    const placeMs = held?.value.placeMs ?? (isClose && key instanceof Windowed ? key.endMs : timestamp)
    const next = { placeMs, oldValue: held ? held.value.oldValue : change.oldValue, newValue: change.newValue }
    if (held) load.removed(key, held.value)
    store.put(key, next, timestamp)
    load.added(key, next)
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

  const flush = async (): Promise<void> => {
    await releaseBefore(time.observedMs - delayMs + 1, () => true)
    if (until.kind !== 'time-limit' || !load.isBounded) return
    if (!load.isKnown) await load.count(context.stores.heldBefore(node.store.name, Number.POSITIVE_INFINITY), store)
    if (!load.isExceeded) return
    if (until.whenFull === 'stop') throw new BufferFullError(node.name, load.now(), until)
    await releaseBefore(Number.POSITIVE_INFINITY, () => load.isExceeded)
  }
  return { process, flush }
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
