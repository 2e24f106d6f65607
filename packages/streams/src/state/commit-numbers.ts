import { readLong, writeLong } from '../serde/long.ts'
import type { KeyRange, StateChange } from './engine.ts'
import { checksumBytes } from './layout.ts'

const recordTag = 0x63
const keyBytes = 10
const largestKey = Buffer.alloc(8, 0xff)

/** More than LevelDB's logs can hold: two of them, of 4 MiB each, the last batch of each whole. */
const keptBytes = 16 << 20
const keptCommits = 4

/** Where commit records lie: prefix 0 is no store's. */
export const commitRange: KeyRange = {
  gte: Buffer.from([0, recordTag]),
  lt: Buffer.concat([Buffer.from([0, recordTag]), largestKey])
}

/**
 * The numbers of the last commits. Each batch writes a record of its own number, which says from which number on all records are there;
 * if one is not, an engine lost a batch from the middle and went on.
 *
 * A lost end is no damage: the offset of the changelog and the data were lost together, and are read again. Only as many records are kept
 * as an engine could lose from its own log; what is older lies in files that are verified as such.
 */
export class CommitNumbers {
  readonly #kept: { readonly number: number; readonly sizeBytes: number }[] = []
  #keptSize = 0

  /**
   * Takes over what was found at open.
   * @returns what is wrong with it, if anything.
   */
  load(entries: readonly (readonly [key: Buffer, value: Buffer])[]): string | undefined {
    for (const [key, value] of entries) this.#add(readLong(key, 2), value.readUInt32BE(8))
    const last = entries.at(-1)
    if (last === undefined) return undefined
    let expected = readLong(last[1], 0)
    for (const { number } of this.#kept) {
      if (number !== expected) return `commit ${Math.min(expected, number)} is missing between others`
      expected++
    }
    return undefined
  }

  /** The changes that number the next batch, whose own changes are of `sizeBytes`. It counts once `committed` was called. */
  next(sizeBytes: number): StateChange[] {
    const dropped = this.#droppable(sizeBytes)
    const number = (this.#kept.at(-1)?.number ?? 0) + 1
    const value = Buffer.allocUnsafe(12 + checksumBytes)
    writeLong(value, this.#kept[dropped]?.number ?? number, 0)
    value.writeUInt32BE(sizeBytes, 8)
    const changes: StateChange[] = [{ key: commitKey(number), value }]
    for (const old of this.#kept.slice(0, dropped)) changes.push({ key: commitKey(old.number), value: null })
    return changes
  }

  /** The batch of the last `next` is on the disk. */
  committed(sizeBytes: number): void {
    for (const old of this.#kept.splice(0, this.#droppable(sizeBytes))) this.#keptSize -= old.sizeBytes
    this.#add((this.#kept.at(-1)?.number ?? 0) + 1, sizeBytes)
  }

  /** How many of the oldest records need not be kept beside one more of `sizeBytes`. */
  #droppable(sizeBytes: number): number {
    let count = 0
    let rest = this.#keptSize + sizeBytes
    while (this.#kept.length - count >= keptCommits && rest - this.#kept[count].sizeBytes >= keptBytes) {
      rest -= this.#kept[count].sizeBytes
      count++
    }
    return count
  }

  #add(number: number, sizeBytes: number): void {
    this.#kept.push({ number, sizeBytes })
    this.#keptSize += sizeBytes
  }
}

function commitKey(number: number): Buffer {
  const key = Buffer.allocUnsafe(keyBytes)
  key[0] = 0
  key[1] = recordTag
  writeLong(key, number, 2)
  return key
}
