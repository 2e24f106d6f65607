import { batchLastOffset } from '../wire/batch/header.ts'
import { rebuiltReport } from './damage.ts'
import type { PartitionLog } from './partition-log.ts'
import { ProducerState } from './producer/producer-state.ts'
import { newestSnapshot } from './producer/snapshot-files.ts'
import { unknownEpoch } from './segment/batch-check.ts'
import { scanBatches } from './segment/batch-scan.ts'
import type { Segment } from './segment/segment.ts'
import type { IndexKind } from './segment/segment-indexes.ts'

/** Makes all indexes of a segment again from its log, since one of them is not what was written. */
export function rebuildIndexes(log: PartitionLog, index: number, damaged: IndexKind): void {
  const segment = log.segments[index]
  const { path } = segment.indexes.file(damaged)
  log.place.onDamage(rebuiltReport(path, `Index ${path} is missing or damaged; it was made again from the log`))
  const producers = producersAt(log, segment.baseOffset)
  const { nextOffset } = segment
  segment.reset()
  walkHeaders(segment, (batch, position) => {
    segment.note(batch, { position, indexIntervalBytes: log.config.indexIntervalBytes })
    const completed = producers.update(batch)
    if (completed === undefined) return
    const lastStableOffset = producers.transactions.complete(completed)
    if (!completed.commit) segment.indexes.transactions.append({ ...completed, lastStableOffset })
  })
  segment.nextOffset = nextOffset
  if (segment !== log.active) segment.indexes.finish()
  log.sync.rebuilt(segment)
}

/** The producers as they were where the log reached `offset`: the newest snapshot before it, and what follows. */
function producersAt(log: PartitionLog, offset: number): ProducerState {
  const { files, onDamage } = log.place
  const snapshot = newestSnapshot({ files, directory: log.directory, onDamage }, offset)
  const producers = new ProducerState(snapshot?.entries)
  replayProducers(log.segments, { fromOffset: snapshot?.offset ?? 0, toOffset: offset }, producers)
  return producers
}

/** Takes the batches of `[fromOffset, toOffset)` into `producers`, reading their headers only. */
export function replayProducers(
  segments: readonly Segment[],
  range: { readonly fromOffset: number; readonly toOffset: number },
  producers: ProducerState
): void {
  segments.forEach((segment, index) => {
    const end = segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
    if (end <= range.fromOffset || segment.baseOffset >= range.toOffset) return
    walkHeaders(segment, (batch) => {
      const lastOffset = batchLastOffset(batch)
      if (lastOffset < range.fromOffset || lastOffset >= range.toOffset) return
      const completed = producers.update(batch)
      if (completed !== undefined) producers.transactions.complete(completed)
    })
  })
}

/** Visits the header of every batch of a segment (of a control batch, all of it) without checking sums. */
export function walkHeaders(segment: Segment, visit: (batch: Buffer, position: number) => void): void {
  const range = {
    fromPosition: 0,
    toPosition: segment.log.sizeBytes,
    minOffset: segment.baseOffset,
    exact: false,
    endOffset: Number.POSITIVE_INFINITY,
    epochAt: unknownEpoch,
    verifyCrc: false,
    closesGaps: false
  }
  scanBatches(segment.log.handle, range, visit)
}
