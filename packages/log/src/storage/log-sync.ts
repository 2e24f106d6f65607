import { writeFileAtomically } from '../environment/atomic-file.ts'
import { FileSystemError } from '../errors.ts'
import { encodeLeaderEpochs, LEADER_EPOCH_CHECKPOINT } from './checkpoint/leader-epochs.ts'
import { writePartitionMetadata } from './checkpoint/partition-metadata.ts'
import type { PartitionLog } from './partition-log.ts'
import { encodeSnapshot } from './producer/snapshot.ts'
import { removeStraySnapshots, snapshotPath } from './producer/snapshot-files.ts'
import type { Segment } from './segment/segment.ts'
import { type SegmentSummary, writeSummary } from './segment/summary.ts'

/** How far the log may grow before a new summary bounds what a crash has to scan. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024

/** What was there already when the log was opened. */
export interface FoundNames {
  readonly directory: boolean
  /** A `partition.metadata` that is right. */
  readonly metadata: boolean
}

/** The producers as they were when the log ended at `offset`. */
export interface TakenSnapshot {
  readonly offset: number
  readonly content: Buffer
}

interface SealedSegment {
  readonly segment: Segment
  readonly snapshot: TakenSnapshot | undefined
}

/**
 * Takes what was written to one partition's log to the disk. One call runs at a time (the caller sees to it); a call covers
 * everything that was written before it began. A failed sync is final: the caller must give the log directory up.
 */
export class LogSync {
  #dirty = false
  #unfinished = false
  readonly #log: PartitionLog
  #sealed: SealedSegment[] = []
  readonly #unsettled = new Set<Segment>()
  #created: { readonly segment: Segment; readonly summary: SegmentSummary } | undefined
  #namesChanged = false
  #metadataMissing: boolean
  #directoryUnsynced: boolean
  #retired: Segment[] = []
  #running = 0
  #checkpointedBytes: number

  constructor(log: PartitionLog, found: FoundNames) {
    this.#log = log
    this.#metadataMissing = !found.metadata
    this.#directoryUnsynced = !found.directory
    this.#checkpointedBytes = log.active?.log.sizeBytes ?? 0
  }

  /** A segment was closed to appends; its indexes, summary and the producers' snapshot are written with the next sync. */
  sealed(segment: Segment, snapshot: TakenSnapshot): void {
    this.#sealed.push({ segment, snapshot })
    this.#unsettled.add(segment)
    this.#checkpointedBytes = 0
    this.changed()
  }

  /** The indexes of a segment were made again; they are written with the next sync. */
  rebuilt(segment: Segment): void {
    if (segment !== this.#log.active) {
      this.#sealed.push({ segment, snapshot: undefined })
      this.#unsettled.add(segment)
    }
    this.changed()
  }

  /** Something was written, or is to be written down. */
  changed(): void {
    this.#dirty = true
    this.#unfinished = true
  }

  /**
   * A segment was begun. It gets a summary at once, which says that it is one of ours and so has no gaps: recovery can then tell a
   * damaged base offset.
   */
  created(segment: Segment): void {
    this.#created = { segment, summary: this.#summaryOf(segment) }
    this.namesChanged()
  }

  /** A file was made in the partition's directory. */
  namesChanged(): void {
    this.#namesChanged = true
    this.changed()
  }

  /** A segment's files were given up: its handles close once no sync uses them. */
  retired(segment: Segment): void {
    this.#retired.push(segment)
    this.#closeRetired()
  }

  /** Whether something was written since the last {@link syncData} began. */
  get dirty(): boolean {
    return this.#dirty
  }

  /** Whether nothing of a segment that was closed to appends is still to be written. */
  isSettled(segment: Segment): boolean {
    return !this.#unsettled.has(segment)
  }

  /** Whether a segment was closed to appends and is not settled yet. */
  get wantsFinish(): boolean {
    return this.#sealed.length > 0
  }

  /** Whether the active segment grew so much that {@link checkpoint} is due. */
  get wantsCheckpoint(): boolean {
    const { active } = this.#log
    return active !== undefined && active.log.sizeBytes - this.#checkpointedBytes >= CHECKPOINT_BYTES
  }

  /** Syncs all that was written, names included. Resolves with the end of the log that is safe now. */
  async syncData(): Promise<number> {
    return this.#run(async () => {
      const log = this.#log
      const target = log.endOffset
      const sealed = this.#sealed
      const { active } = log
      this.#dirty = false
      this.#sealed = []
      for (const { segment } of sealed) if (!segment.deleted) await segment.log.datasync()
      if (active !== undefined) await active.log.datasync()
      await this.#syncNames()
      for (const each of sealed) {
        await this.#finish(each)
        if (!this.#sealed.some(({ segment }) => segment === each.segment)) this.#unsettled.delete(each.segment)
      }
      return target
    })
  }

  /**
   * Writes down what is certain about the active segment: the producers' snapshot, then the summary. A crash then scans only what
   * came after.
   */
  async checkpoint(): Promise<void> {
    const { active } = this.#log
    if (active === undefined) return
    await this.#run(async () => {
      const log = this.#log
      const snapshot = { offset: log.endOffset, content: encodeSnapshot(log.producers.entries()) }
      const summary = this.#summaryOf(active)
      this.#checkpointedBytes = active.log.sizeBytes
      this.#unfinished = false
      await active.log.datasync()
      await tolerateFullDisk(async () => {
        active.indexes.settle()
        await active.indexes.datasync()
        await writeFileAtomically(log.place.files, snapshotPath(log.directory, snapshot.offset), snapshot.content)
        if (!active.deleted) await writeSummary(log.place.files, active.summaryPath, summary)
        removeStraySnapshots(log, snapshot.offset)
      })
    })
  }

  /** Everything that makes the next start cheap: data, epochs, indexes, snapshot, summary. */
  async finish(): Promise<void> {
    if (!this.#unfinished || this.#log.active === undefined) return
    this.#log.active.indexes.finish()
    await this.syncData()
    await this.checkpoint()
  }

  async #syncNames(): Promise<void> {
    const { files, logDirectory, topicId } = this.#log.place
    const { directory, epochs } = this.#log
    if (this.#metadataMissing) {
      this.#metadataMissing = !(await tolerateFullDisk(() => writePartitionMetadata(files, directory, topicId)))
    }
    if (epochs.dirty) {
      epochs.dirty = false
      const written = await tolerateFullDisk(() =>
        writeFileAtomically(files, `${directory}/${LEADER_EPOCH_CHECKPOINT}`, encodeLeaderEpochs(epochs.starts))
      )
      if (!written) epochs.dirty = true
    }
    await this.#writeFirstSummary()
    if (this.#namesChanged) {
      this.#namesChanged = false
      await files.syncDirectory(directory)
    }
    if (this.#directoryUnsynced) {
      this.#directoryUnsynced = false
      await files.syncDirectory(logDirectory)
    }
  }

  async #writeFirstSummary(): Promise<void> {
    const created = this.#created
    this.#created = undefined
    if (created === undefined || created.segment.deleted) return
    await tolerateFullDisk(() => writeSummary(this.#log.place.files, created.segment.summaryPath, created.summary))
  }

  async #finish({ segment, snapshot }: SealedSegment): Promise<void> {
    const { files } = this.#log.place
    await tolerateFullDisk(async () => {
      if (segment.deleted) return
      segment.indexes.settle()
      await segment.indexes.datasync()
      if (snapshot !== undefined) {
        await writeFileAtomically(files, snapshotPath(this.#log.directory, snapshot.offset), snapshot.content)
      }
      if (!segment.deleted) await writeSummary(files, segment.summaryPath, this.#summaryOf(segment))
    })
  }

  #summaryOf(segment: Segment): SegmentSummary {
    const { place, logStartOffset, epochs } = this.#log
    return { ...segment.facts(), topicId: place.topicId, logStartOffset, epochs: [...epochs.starts] }
  }

  async #run<T>(job: () => Promise<T>): Promise<T> {
    this.#running += 1
    try {
      return await job()
    } finally {
      this.#running -= 1
      this.#closeRetired()
    }
  }

  #closeRetired(): void {
    if (this.#running > 0) return
    for (const segment of this.#retired) segment.close()
    this.#retired = []
  }
}

/** Runs what only makes the next start faster and may fail for want of space. Returns whether it was done. */
async function tolerateFullDisk(write: () => Promise<void>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    const full = error instanceof FileSystemError && ['ENOSPC', 'EDQUOT'].includes(error.systemCode)
    if (!full) throw error
    return false
  }
}
