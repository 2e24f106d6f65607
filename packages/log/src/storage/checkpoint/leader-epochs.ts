import { CorruptionError } from '../../errors.ts'
import { decodeTextCheckpoint, encodeTextCheckpoint, parseCount } from './text-checkpoint.ts'

/** Name of the file with the start offset of every leader epoch. */
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint'

/** Where a leader epoch begins. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

/**
 * The leader epochs of one partition in the order of their start offsets, as the truncation rules of KIP-101 and KIP-279 need
 * them. Both columns rise strictly.
 */
export class LeaderEpochs {
  /** Whether they changed since they were last written down. */
  dirty = false
  #starts: EpochStart[]

  constructor(starts: readonly EpochStart[] = []) {
    this.#starts = [...starts]
  }

  get starts(): readonly EpochStart[] {
    return this.#starts
  }

  get latestEpoch(): number {
    return this.#starts.at(-1)?.epoch ?? -1
  }

  /** Notes that `epoch` leads from `startOffset` on. Entries it contradicts are dropped. */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0 || this.latestEpoch === epoch) return
    this.#starts = this.#starts.filter((start) => start.epoch < epoch && start.startOffset < startOffset)
    this.#starts.push({ epoch, startOffset })
    this.dirty = true
  }

  /** Forgets epochs that begin at `endOffset` or later. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#starts.filter((start) => start.startOffset < endOffset)
    if (kept.length === this.#starts.length) return
    this.#starts = kept
    this.dirty = true
  }

  /** Forgets epochs that end at or below `startOffset`; the one that spans it now begins there. */
  truncateFromStart(startOffset: number): void {
    const next = this.#starts.findIndex((start) => start.startOffset > startOffset)
    const spanning = (next < 0 ? this.#starts.length : next) - 1
    if (spanning < 0 || (spanning === 0 && this.#starts[0].startOffset === startOffset)) return
    this.#starts = [{ epoch: this.#starts[spanning].epoch, startOffset }, ...this.#starts.slice(spanning + 1)]
    this.dirty = true
  }

  /** Epoch that an offset was written in; undefined before the first. */
  epochAt(offset: number): number | undefined {
    for (let index = this.#starts.length - 1; index >= 0; index--) {
      if (this.#starts[index].startOffset <= offset) return this.#starts[index].epoch
    }
    return undefined
  }

  /** End of the largest epoch at or below `epoch`; (-1, -1) when nothing is known of it. */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    if (epoch < 0 || epoch > this.latestEpoch) return { epoch: -1, endOffset: -1 }
    if (epoch === this.latestEpoch) return { epoch, endOffset: logEndOffset }
    const higher = this.#starts.findIndex((start) => start.epoch > epoch)
    const floor = higher - 1
    return { epoch: floor < 0 ? epoch : this.#starts[floor].epoch, endOffset: this.#starts[higher].startOffset }
  }
}

/** Content of `leader-epoch-checkpoint`. */
export function encodeLeaderEpochs(starts: readonly EpochStart[]): Buffer {
  return encodeTextCheckpoint(starts.map((start) => `${start.epoch} ${start.startOffset}`))
}

/**
 * Reads the content of `leader-epoch-checkpoint`.
 * @throws CorruptionError when it is damaged or its columns do not rise.
 */
export function decodeLeaderEpochs(path: string, content: Buffer): EpochStart[] {
  let last: EpochStart = { epoch: -1, startOffset: -1 }
  return decodeTextCheckpoint(path, content, 2).map(([epochText, offsetText]) => {
    const epoch = parseCount(epochText)
    const startOffset = parseCount(offsetText)
    if (epoch === undefined || startOffset === undefined || epoch <= last.epoch || startOffset <= last.startOffset) {
      throw new CorruptionError({ message: `${path} is damaged: epochs and offsets must rise`, path, position: 0 })
    }
    last = { epoch, startOffset }
    return last
  })
}
