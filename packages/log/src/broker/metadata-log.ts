import { writeFileAtomically } from '../environment/atomic-file.ts'
import type { Environment } from '../environment/environment.ts'
import { CorruptionError, InvariantError } from '../errors.ts'
import type { Partition } from '../partition/partition.ts'
import { applyRecords, type MetadataImage } from '../quorum/metadata-image.ts'
import { encodeMetadataRecord, type MetadataRecord } from '../quorum/metadata-records.ts'
import {
  openQuorum,
  type QuorumEffect,
  type QuorumInput,
  type QuorumState,
  type SavedVote,
  stepQuorum
} from '../quorum/quorum.ts'
import { formatQuorumState, parseQuorumState, QUORUM_STATE_FILE } from '../quorum/quorum-state-file.ts'
import { type OnDamage, rebuiltReport } from '../storage/damage.ts'
import { RecordBatchBuilder } from '../wire/batch/batch-builder.ts'
import { encodeLeaderChange } from '../wire/batch/control-batch.ts'
import { ZERO_UUID } from '../wire/schema.ts'
import { noteRemoval, type ReplayedMetadata, replayMetadata } from './metadata-replay.ts'
import { readSnapshot, writeSnapshot } from './metadata-snapshot.ts'

/** Topic of the one partition that holds the cluster's metadata. It is in no listing of topics. */
export const METADATA_TOPIC = '__cluster_metadata'

/** A change of the metadata: the records that make it, and what to answer once they are committed. */
export interface Change<T> {
  readonly records: readonly MetadataRecord[]
  readonly result: T
}

/** Decides on a change, from the metadata with all changes before it applied. @param nextOffset offset that its first record will get */
export type Command<T> = (image: MetadataImage, nextOffset: number) => Change<T>

/** What the log needs to open. */
export interface MetadataLogOptions {
  readonly environment: Environment
  /** Directory of the metadata partition. */
  readonly directory: string
  readonly nodeId: number
  /** Leader epoch of the last batch in the log; 0 when it is empty. */
  readonly lastEpoch: number
  /** Opens the partition as its leader in an epoch. */
  readonly openPartition: (leaderEpoch: number) => Promise<Partition>
  readonly onDamage: OnDamage
  /** Hears that a snapshot could not be written; the next change of the metadata tries again. */
  readonly onSnapshotFailed: (error: unknown) => void
}

interface QueuedCommand {
  /** Adds its records; returns what to do once they are committed. */
  readonly prepare: (draft: Draft) => () => void
  readonly fail: (error: unknown) => void
}

interface Draft {
  image: MetadataImage
  nextOffset: number
  readonly records: MetadataRecord[]
}

/**
 * The metadata log, led by this node as the quorum's only voter, and the image that its committed records add up to. Commands are carried out
 * in order; those that come while a batch is being written share the next one.
 */
export class MetadataLog {
  /** The cluster as of the last committed record. */
  image: MetadataImage
  /** Ids of topics that were deleted, as far as the log tells. */
  readonly removedTopicIds: Set<string>
  readonly #options: MetadataLogOptions
  readonly #partition: Partition
  /** End of what the image contains. */
  #endOffset: number
  #queue: QueuedCommand[] = []
  #writing: Promise<void> | undefined
  /** The image that the latest snapshot has or will have. */
  #savedImage: MetadataImage | undefined
  #saving: Promise<void> | undefined

  private constructor(options: MetadataLogOptions, partition: Partition, replayed: ReplayedMetadata) {
    this.#options = options
    this.#partition = partition
    this.image = replayed.image
    this.#endOffset = partition.logEndOffset
    this.removedTopicIds = replayed.removedTopicIds
  }

  /**
   * Takes office as leader of the quorum and replays what is committed.
   * @throws CorruptionError when a batch of the log is damaged
   */
  static async open(options: MetadataLogOptions): Promise<MetadataLog> {
    const partition = await takeOffice(options)
    const place = { files: options.environment.files, directory: options.directory }
    const replayed = replayMetadata(partition, () => readSnapshot(place, options.onDamage), options.onDamage)
    return new MetadataLog(options, partition, replayed)
  }

  /** Resolves with the command's result once its records are committed and `image` shows them; rejects with what the command threw. */
  commit<T>(command: Command<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.push({
        prepare: (draft) => {
          const { records, result } = command(draft.image, draft.nextOffset)
          draft.image = applyRecords(draft.image, records)
          draft.nextOffset += records.length
          draft.records.push(...records)
          return () => resolve(result)
        },
        fail: reject
      })
      this.#writing ??= this.#writeQueued()
    })
  }

  /** Resolves when no command is under way and the snapshot is up to date. */
  async close(): Promise<void> {
    await this.#writing
    await this.#saving
    await this.#partition.close()
  }

  async #writeQueued(): Promise<void> {
    // What is asked for in the same turn goes into one batch.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const commands = this.#queue
      this.#queue = []
      await this.#writeTogether(commands)
    }
    this.#writing = undefined
    this.#saving ??= this.#saveSnapshots()
  }

  /** Nobody waits for a snapshot, and changes that come meanwhile share the next one. */
  async #saveSnapshots(): Promise<void> {
    const { environment, directory, onSnapshotFailed } = this.#options
    try {
      while (this.#savedImage !== this.image) {
        this.#savedImage = this.image
        await writeSnapshot(
          { files: environment.files, directory },
          {
            image: this.image,
            endOffset: this.#endOffset,
            epoch: this.#partition.leaderEpoch,
            timestampMs: environment.clock.nowMs()
          }
        )
      }
    } catch (error) {
      onSnapshotFailed(error)
    } finally {
      this.#saving = undefined
    }
  }

  async #writeTogether(commands: readonly QueuedCommand[]): Promise<void> {
    const draft: Draft = { image: this.image, nextOffset: this.#partition.logEndOffset, records: [] }
    // A refusal may rest on records before it in the same batch, so it waits for their commit as an answer does.
    const answers: { give: () => void; fail: (error: unknown) => void }[] = []
    for (const { prepare, fail } of commands) {
      try {
        answers.push({ give: prepare(draft), fail })
      } catch (error) {
        answers.push({ give: () => fail(error), fail })
      }
    }
    try {
      await this.#append(draft.records)
    } catch (error) {
      for (const { fail } of answers) fail(error)
      return
    }
    this.image = draft.image
    this.#endOffset = draft.nextOffset
    for (const record of draft.records) noteRemoval(record, this.removedTopicIds)
    for (const { give } of answers) give()
  }

  async #append(records: readonly MetadataRecord[]): Promise<void> {
    if (records.length === 0) return
    const builder = new RecordBatchBuilder()
    const nowMs = this.#options.environment.clock.nowMs()
    for (const record of records) builder.append(null, encodeMetadataRecord(record), nowMs)
    const { lastOffset } = this.#partition.append(builder.build(), 'coordinator')
    await this.#partition.whenCommitted(lastOffset)
  }
}

/** Runs the quorum's steps until this node leads and the first record of its epoch is committed. */
async function takeOffice(options: MetadataLogOptions): Promise<Partition> {
  const { environment, directory, nodeId, lastEpoch } = options
  const path = `${directory}/${QUORUM_STATE_FILE}`
  const saved = readVote(options, path)
  let state: QuorumState = openQuorum({ self: nodeId, voters: [nodeId], saved, lastEpoch })
  let partition: Partition | undefined
  const inputs: QuorumInput[] = [{ kind: 'start' }]

  async function carryOut(effect: QuorumEffect): Promise<void> {
    switch (effect.kind) {
      case 'persist': {
        environment.files.makeDirectory(directory)
        await writeFileAtomically(environment.files, path, Buffer.from(formatQuorumState(effect.saved, state.voters)))
        inputs.push({ kind: 'persisted', epoch: effect.saved.leaderEpoch })
        return
      }
      case 'append-leader-change': {
        partition = await options.openPartition(effect.epoch)
        const { baseOffset, lastOffset } = partition.append(leaderChange(effect, environment), 'coordinator')
        inputs.push({ kind: 'appended', baseOffset })
        await partition.whenCommitted(lastOffset)
        inputs.push({ kind: 'synced', endOffset: lastOffset + 1 })
        return
      }
      case 'commit':
        return
    }
  }

  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
    const step = stepQuorum(state, input)
    state = step.state
    for (const effect of step.effects) await carryOut(effect)
  }
  if (partition === undefined || state.highWatermark < partition.highWatermark) {
    throw new InvariantError(`node ${nodeId} did not become leader of its own quorum (epoch ${state.epoch})`)
  }
  return partition
}

/** A lone voter that forgot its vote has nobody to disagree with: the log tells the epoch. */
function readVote({ environment, onDamage }: MetadataLogOptions, path: string): SavedVote | undefined {
  if (!environment.files.exists(path)) return undefined
  try {
    return parseQuorumState(environment.files.readFile(path).toString('utf8'), path)
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    onDamage(rebuiltReport(path, `${path} is damaged; it was made again from the metadata log`))
    return undefined
  }
}

function leaderChange(
  { epoch, leader, voters }: Extract<QuorumEffect, { kind: 'append-leader-change' }>,
  environment: Environment
): Buffer {
  const granting = voters.map((voterId) => ({ voterId, voterDirectoryId: ZERO_UUID }))
  const change = { version: 0, leaderId: leader, voters: granting, grantingVoters: granting }
  return encodeLeaderChange(change, { leaderEpoch: epoch, timestampMs: environment.clock.nowMs() })
}
