import { MemoryFile } from '../environment/memory-file.ts'
import type { SeededRandom } from './seeded-random.ts'

type FileChange =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }

/** What a simulated disk holds of one file: an image that is certain, and the changes since, that a power cut may keep or lose. */
export class UnsyncedFile {
  #durable = new MemoryFile()
  #changes: FileChange[] = []
  #uncertainFrom = Number.POSITIVE_INFINITY

  /** The first byte that a power cut or a failed sync may have lost, until a sync made all certain; infinite when there is none. */
  get uncertainFrom(): number {
    return this.#uncertainFrom
  }

  written(position: number, bytes: Uint8Array): void {
    this.#changes.push({ kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncated(sizeBytes: number): void {
    this.#changes.push({ kind: 'truncate', sizeBytes })
  }

  /** What a sync that begins now will have made certain. Call `complete` when it has. */
  beginSync(): { complete(): void; fail(random: SeededRandom): void } {
    const covered = this.#changes.length === 0 ? undefined : this.#changes.at(-1)
    const take = (): FileChange[] => {
      const end = covered === undefined ? 0 : this.#changes.indexOf(covered) + 1
      return this.#changes.splice(0, end)
    }
    return {
      complete: () => {
        for (const change of take()) apply(this.#durable, change)
        this.#uncertainFrom = Number.POSITIVE_INFINITY
      },
      // As Linux does it: pages whose writing failed are marked clean, and a later sync says nothing about them.
      fail: (random) => {
        const lost = take()
        this.#uncertainFrom = Math.min(this.#uncertainFrom, ...lost.map(firstByte))
        this.#durable = survivor(this.#durable, lost, random)
      }
    }
  }

  /** The file as found after a power cut. */
  afterPowerCut(random: SeededRandom): MemoryFile {
    return survivor(this.#durable, this.#changes, random)
  }

  /** The disk's file after a power cut that left `found` of it: what was not certain before is not certain still. */
  survivedAs(found: MemoryFile): UnsyncedFile {
    const unsynced = new UnsyncedFile()
    unsynced.#durable = copyOf(found)
    unsynced.#uncertainFrom = Math.min(this.#uncertainFrom, ...this.#changes.map(firstByte))
    return unsynced
  }
}

/**
 * Sector by sector (512 or 4096 bytes), the changes up to a random one; the size after a random number of changes. So later writes may be kept
 * and earlier ones lost, a write may be torn, and a file may have grown without its data: zeros.
 */
function survivor(durable: MemoryFile, changes: readonly FileChange[], random: SeededRandom): MemoryFile {
  const result = copyOf(durable)
  const sectorBytes = random.pick([512, 4096])
  const lossChance = random.pick([0, 0.05, 0.5, 1])
  const stale = new Set<number>()
  const sizedChanges = lossChance === 0 ? changes.length : random.below(changes.length + 1)
  let sizeBytes = durable.sizeBytes
  for (const [index, change] of changes.entries()) {
    const sized = index < sizedChanges
    if (change.kind === 'truncate') {
      if (sized) sizeBytes = change.sizeBytes
      if (sized) result.truncate(sizeBytes)
      continue
    }
    const { position, bytes } = change
    const endByte = position + bytes.length
    if (sized) sizeBytes = Math.max(sizeBytes, endByte)
    for (let sector = Math.floor(position / sectorBytes); sector * sectorBytes < endByte; sector++) {
      if (random.chance(lossChance)) stale.add(sector)
      if (stale.has(sector)) continue
      const from = Math.max(position, sector * sectorBytes)
      const to = Math.min(endByte, (sector + 1) * sectorBytes)
      result.write(bytes.subarray(from - position, to - position), from)
    }
  }
  result.truncate(sizeBytes)
  return result
}

function firstByte(change: FileChange): number {
  return change.kind === 'write' ? change.position : change.sizeBytes
}

function apply(file: MemoryFile, change: FileChange): void {
  if (change.kind === 'write') file.write(change.bytes, change.position)
  else file.truncate(change.sizeBytes)
}

function copyOf(file: MemoryFile): MemoryFile {
  const copy = new MemoryFile()
  copy.write(file.contents(), 0)
  copy.modifiedMs = file.modifiedMs
  return copy
}
