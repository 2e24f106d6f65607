import type { SuppressNode } from '../graph/suppress-node.ts'
import type { Buffered } from '../serde/buffered.ts'
import { Windowed } from '../serde/windowed.ts'
import { HeldBack } from './held-back.ts'
import { lateRecords } from './late-records.ts'
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
  const heldBack = new HeldBack(node, context, forward)
  let isIdle = false
  const { until } = node
  const delayMs = until.kind === 'window-close' ? until.delayMs : until.limitMs
  const isClose = until.kind === 'window-close'
  const dropped = context.dropCounter(node.name)
  const handOn = lateRecords(node, context, 0)
  /** What is held back from before this is due. */
  const dueMs = (): number => time.observedMs - delayMs + 1

  const process: Forward = (record) => {
    const { key, timestamp, value: change } = record
    if (!(change instanceof Change)) return
    if (isClose && key instanceof Windowed && key.endMs <= time.closedMs) {
      dropped.add('late')
      if (change.newValue !== null && change.newValue !== undefined) handOn?.(record.withValue(change.newValue))
      return
    }
    isIdle = false
    let held = heldBack.get(key)
    if (held !== undefined && held.value.placeMs < dueMs()) {
      heldBack.release(key, held)
      held = undefined
    }
    if (timestamp > time.observedMs) time.observedMs = timestamp
    const placeMs = held?.value.placeMs ?? (isClose && key instanceof Windowed ? key.endMs : timestamp)
    const { newValue } = change
    const update: Buffered = { placeMs, oldValue: held ? held.value.oldValue : change.oldValue, newValue }
    const told = node.oldValue === 'latest' ? { ...update, latestOldValue: change.oldValue } : update
    heldBack.hold(key, told, timestamp)
    heldBack.releaseKnown(dueMs())
  }

  const flush = (): Promise<void> => {
    if (isIdle) closeIdle()
    return heldBack.releaseRest(dueMs())
  }
  // What the aggregation above has for the commit comes first: the flush goes from above to below.
  const idle = (): void => {
    isIdle = true
    context.requestCommit()
  }
  const closeIdle = (): void => {
    isIdle = false
    if (heldBack.newestPlaceMs <= time.closedMs) return
    time.closedMs = heldBack.newestPlaceMs
    time.observedMs = Math.max(time.observedMs, time.closedMs + delayMs)
    heldBack.releaseKnown(dueMs())
  }
  return { process, flush, idle, open: () => heldBack.open() }
}
