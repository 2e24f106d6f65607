import { batchBaseOffset, batchLeaderEpoch } from '../wire/batch/header.ts'
import { LEADER_EPOCH_CHECKPOINT, LeaderEpochs } from './checkpoint/leader-epochs.ts'
import { finishSwaps } from './cleaner/swap-files.ts'
import { rebuiltReport } from './damage.ts'
import { type FoundPartition, type FoundSegment, findSegments } from './find-segments.ts'
import { closeGapAtEnd } from './gap-at-end.ts'
import type { LogConfig } from './log-config.ts'
import { type LogPlace, PartitionLog, partitionDirectory } from './partition-log.ts'
import { ProducerState } from './producer/producer-state.ts'
import { encodeSnapshot } from './producer/snapshot.ts'
import { newestSnapshot, snapshotOffsets, snapshotPath } from './producer/snapshot-files.ts'
import { replayProducers, walkHeaders } from './rebuild-indexes.ts'
import { type ResumePoint, recoverSegment } from './recover-segment.ts'
import { SegmentSuffix } from './segment/file-names.ts'
import type { Segment } from './segment/segment.ts'
import type { AbortedSpan } from './segment/transaction-index.ts'

/** What the log directory's checkpoints say of a partition; used where the partition's own files do not. */
export interface PartitionCheckpoints {
  readonly logStartOffset?: number | undefined
}

/**
 * Opens the log of a partition. The directory need not exist. After a clean close this reads a few small files; after a crash it
 * reads every batch behind the last synced summary, checks it, repairs what is broken, and syncs what it kept. Damage is reported,
 * never thrown.
 */
export async function openPartitionLog(
  place: LogPlace,
  config: LogConfig,
  checkpoints: PartitionCheckpoints = {}
): Promise<PartitionLog> {
  const directory = partitionDirectory(place)
  if (!place.files.exists(directory)) return emptyLog(place, config, checkpoints)
  await finishSwaps(place.files, directory)
  const found = findSegments(place, directory)
  const recovery = new Recovery({ place, config, directory, found })
  await recovery.run()
  const log = recovery.log(checkpoints)
  if (recovery.repaired) {
    closeGapAtEnd(log)
    for (const { segment, snapshot } of recovery.sealed) log.sync.sealed(segment, snapshot)
    log.sync.namesChanged()
    await log.sync.finish()
    for (const { segment, suspect } of found.segments) {
      if (suspect) place.files.remove(segment.path + SegmentSuffix.suspect)
    }
  } else if (!found.metadata || log.epochs.dirty) log.sync.changed()
  return log
}

function emptyLog(place: LogPlace, config: LogConfig, checkpoints: PartitionCheckpoints): PartitionLog {
  const endOffset = checkpoints.logStartOffset ?? 0
  return new PartitionLog({
    place,
    config,
    segments: [],
    producers: new ProducerState(),
    epochs: new LeaderEpochs(),
    logStartOffset: endOffset,
    endOffset,
    found: { directory: false, metadata: false }
  })
}

interface RecoveryInput {
  readonly place: LogPlace
  readonly config: LogConfig
  readonly directory: string
  readonly found: FoundPartition
}

class Recovery {
  readonly sealed: { segment: Segment; snapshot: { offset: number; content: Buffer } }[] = []
  repaired = false
  readonly #input: RecoveryInput
  readonly #segments: Segment[]
  #producers = new ProducerState()
  #epochs = new LeaderEpochs()
  #endOffset = 0

  constructor(input: RecoveryInput) {
    this.#input = input
    this.#segments = input.found.segments.map((found) => found.segment)
  }

  async run(): Promise<void> {
    const { segments, summary } = this.#input.found
    const firstDirty = segments.findIndex(isDirty)
    const resume = firstDirty < 0 ? undefined : this.#resumeAt(segments[firstDirty])
    this.#endOffset = this.#segments.at(-1)?.nextOffset ?? 0
    const from = resume?.offset ?? this.#endOffset
    this.#loadProducers(from)
    this.#epochs = new LeaderEpochs(summary?.epochs ?? this.#input.found.epochs)
    this.#epochs.truncateFromEnd(from)
    if (resume !== undefined) {
      for (let index = firstDirty; index < segments.length; index++) {
        await this.#passSegment(index, index === firstDirty ? resume : undefined)
      }
    }
    this.#removeSnapshotsAhead()
  }

  log(checkpoints: PartitionCheckpoints): PartitionLog {
    const { place, config, found } = this.#input
    const starts = found.segments.map(({ summary }) => summary?.logStartOffset ?? 0)
    const hint = found.segments.at(-1)?.summary === undefined ? (checkpoints.logStartOffset ?? 0) : 0
    const logStartOffset = Math.max(hint, ...starts, this.#segments[0]?.baseOffset ?? 0)
    this.#epochs.truncateFromStart(logStartOffset)
    this.#compareEpochs()
    return new PartitionLog({
      place,
      config,
      segments: this.#segments,
      producers: this.#producers,
      epochs: this.#epochs,
      logStartOffset,
      endOffset: Math.max(this.#endOffset, logStartOffset),
      found: { directory: this.#segments.length > 0, metadata: found.metadata }
    })
  }

  /** Where a dirty segment's good prefix ends: at its summary, if file and indexes are as that says, else at its start. */
  #resumeAt({ segment, summary, suspect }: FoundSegment): ResumePoint {
    const { indexes, log, baseOffset } = segment
    const kinds = ['offsets', 'times', 'transactions'] as const
    const damaged = kinds.filter((kind) => indexes.takeMismatch(kind))
    for (const kind of damaged) {
      const { path } = indexes.file(kind)
      this.#input.place.onDamage(
        rebuiltReport(path, `Index ${path} is missing or damaged; it was made again from the log`)
      )
    }
    if (suspect || summary === undefined || damaged.length > 0 || log.sizeBytes < summary.logSizeBytes) {
      segment.reset()
      return { position: 0, offset: baseOffset }
    }
    return { position: summary.logSizeBytes, offset: summary.nextOffset }
  }

  #loadProducers(atMost: number): void {
    const { place, directory } = this.#input
    const snapshot = newestSnapshot({ files: place.files, directory, onDamage: place.onDamage }, atMost)
    this.#producers = new ProducerState(snapshot?.entries)
    const fromOffset = snapshot?.offset ?? 0
    if (fromOffset < atMost) replayProducers(this.#segments, { fromOffset, toOffset: atMost }, this.#producers)
  }

  /** Takes one segment in: a clean one for the producers' sake only, a dirty one batch by batch. */
  async #passSegment(index: number, resume: ResumePoint | undefined): Promise<void> {
    const found = this.#input.found.segments[index]
    const nextBaseOffset = this.#segments[index + 1]?.baseOffset
    const dirty = isDirty(found)
    if (dirty) await this.#recover(index, resume ?? this.#resumeAt(found))
    else walkHeaders(found.segment, (batch) => this.#follow(batch))
    this.#endOffset = Math.max(found.segment.nextOffset, found.summary?.nextOffset ?? 0)
    if (nextBaseOffset === undefined || !dirty) return
    const snapshot = { offset: nextBaseOffset, content: encodeSnapshot(this.#producers.entries()) }
    this.sealed.push({ segment: found.segment, snapshot })
  }

  async #recover(index: number, from: ResumePoint): Promise<void> {
    const { place, directory, found } = this.#input
    const { segment, summary } = found.segments[index]
    const nextBaseOffset = this.#segments[index + 1]?.baseOffset
    const result = await recoverSegment(segment, {
      files: place.files,
      directory,
      onDamage: place.onDamage,
      from,
      summary,
      nextBaseOffset,
      visit: (batch, position) => this.#take(segment, batch, position)
    })
    if (nextBaseOffset !== undefined) segment.indexes.finish()
    segment.log.resized(result.sizeBytes)
    segment.log.verified.add(from.position, result.sizeBytes)
    this.repaired = true
    if (summary !== undefined && result.nextOffset < summary.nextOffset)
      this.#reportLostTail(segment, summary.nextOffset)
  }

  #take(segment: Segment, batch: Buffer, position: number): void {
    segment.note(batch, { position, indexIntervalBytes: this.#input.config.indexIntervalBytes })
    const aborted = this.#follow(batch)
    if (aborted !== undefined) segment.indexes.transactions.append(aborted)
  }

  /** Takes a batch into epochs and producers; returns the transaction that it aborted. */
  #follow(batch: Buffer): AbortedSpan | undefined {
    this.#epochs.assign(batchLeaderEpoch(batch), batchBaseOffset(batch))
    const completed = this.#producers.update(batch)
    if (completed === undefined) return undefined
    const lastStableOffset = this.#producers.transactions.complete(completed)
    return completed.commit ? undefined : { ...completed, lastStableOffset }
  }

  #reportLostTail(segment: Segment, toOffset: number): void {
    const { path, sizeBytes } = segment.log
    const fromOffset = segment.nextOffset
    const message = `${path} lost its end: offsets ${fromOffset} to ${toOffset - 1} had been synced and are gone`
    this.#input.place.onDamage({
      kind: 'lost-tail',
      path,
      position: sizeBytes,
      sizeBytes: 0,
      fromOffset,
      toOffset,
      savedAs: undefined,
      message
    })
  }

  /** A snapshot of producers at an offset that the log does not reach would be believed once it does. */
  #removeSnapshotsAhead(): void {
    const { place, directory } = this.#input
    for (const offset of snapshotOffsets(place.files, directory)) {
      if (offset > this.#endOffset) place.files.remove(snapshotPath(directory, offset))
    }
  }

  /** Has the epoch checkpoint written again unless it is what the log says; after a crash it may only lag behind. */
  #compareEpochs(): void {
    const { found, place, directory } = this.#input
    const written = found.epochs?.filter((start) => start.startOffset < this.#endOffset) ?? []
    const right = JSON.stringify(written) === JSON.stringify(this.#epochs.starts)
    const behind =
      this.repaired && JSON.stringify(this.#epochs.starts.slice(0, written.length)) === JSON.stringify(written)
    if (!right && !behind && found.epochs !== undefined) {
      const path = `${directory}/${LEADER_EPOCH_CHECKPOINT}`
      place.onDamage(rebuiltReport(path, `${path} does not agree with the log; it was made again from it`))
    }
    this.#epochs.dirty = !right
  }
}

function isDirty({ segment, summary, suspect }: FoundSegment): boolean {
  return suspect || summary === undefined || summary.logSizeBytes !== segment.log.sizeBytes
}
