import { fileSystemError } from '../environment/file-system-failure.ts'
import { MemoryFile } from '../environment/memory-file.ts'
import type { MemoryJournal } from '../environment/memory-files.ts'
import { MemoryDirectory, type MemoryName, MemoryTree } from '../environment/memory-tree.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Lane, SimulatedScheduler } from './simulated-scheduler.ts'
import type { TraceHash } from './trace-hash.ts'
import { type MemoryEntry, type NameChange, UnsyncedDirectory } from './unsynced-directory.ts'
import { UnsyncedFile } from './unsynced-file.ts'

/** How a simulated disk behaves. */
export interface DiskOptions {
  /** How long a sync takes, from and to (default 0.05 to 2 ms). */
  readonly syncLatencyMs?: readonly [number, number]
  /** Bytes that fit (default: no limit); beyond, writes fail with `ENOSPC`. */
  readonly capacityBytes?: number
  /**
   * Asked before every operation (`open`, `write`, `truncate`, `sync`, `sync directory`, `rename`, `remove` ...); the code it returns, e.g. `EIO`, is
   * what the operation fails with.
   */
  readonly fault?: (operation: string, path: string) => string | undefined
}

/** Where a disk is plugged in. */
export interface DiskWorld {
  readonly scheduler: SimulatedScheduler
  readonly trace: TraceHash
  readonly random: SeededRandom
}

/**
 * A disk that knows which bytes and names are certain and which only wait in the page cache. It stays when its machine loses power; the page
 * cache does not.
 */
export class SimulatedDisk {
  /** May be replaced at any time. */
  options: DiskOptions
  readonly #world: DiskWorld
  #root = new MemoryDirectory()
  #files = new WeakMap<MemoryFile, UnsyncedFile>()
  #directories = new WeakMap<MemoryDirectory, UnsyncedDirectory>()

  constructor(world: DiskWorld, options: DiskOptions) {
    this.#world = world
    this.options = options
  }

  /** The names as the running machine sees them. */
  get root(): MemoryDirectory {
    return this.#root
  }

  /** What the files of one life of the machine report to; it fails everything once `lane` is dead. */
  journal(lane: Lane): MemoryJournal {
    let failingSync: string | undefined
    return {
      before: (operation, path, addedBytes) => {
        if (!lane.alive) throw fileSystemError({ systemCode: 'EIO', path, operation }, 'the machine is off')
        failingSync = this.#before(operation, path, addedBytes)
      },
      linked: (at, entry) => this.#changeNames([[at, entry]], 'link'),
      unlinked: (at) => this.#changeNames([[at, null]], 'unlink'),
      renamed: (from, to, entry) => {
        const gone: readonly [MemoryName, MemoryEntry | null] = [from, null]
        this.#changeNames([gone, [to, entry]], 'rename')
      },
      written: (file, position, bytes) => {
        this.#world.trace.note('write', position)
        this.#world.trace.noteBytes(bytes)
        this.#file(file).written(position, bytes)
      },
      truncated: (file, sizeBytes) => {
        this.#world.trace.note('truncate', sizeBytes)
        this.#file(file).truncated(sizeBytes)
      },
      sync: (target, path) => this.#sync(target, { path, lane, systemCode: failingSync })
    }
  }

  /** The first byte of a file that a power cut may have lost; infinite when all of it was synced, or there is no such file. */
  uncertainFrom(path: string): number {
    const file = new MemoryTree(this.#root).find(path)
    return file instanceof MemoryFile ? this.#file(file).uncertainFrom : Number.POSITIVE_INFINITY
  }

  /** Leaves what is certain, and of the rest what chance decides. */
  powerCut(): void {
    const { random } = this.#world
    const keepChance = random.pick([0, 0.5, 0.9, 1])
    const survivors = new Map<MemoryEntry, MemoryEntry>()
    const files = new WeakMap<MemoryFile, UnsyncedFile>()
    const directories = new WeakMap<MemoryDirectory, UnsyncedDirectory>()

    const surviveFile = (file: MemoryFile): MemoryFile => {
      const unsynced = this.#file(file)
      const found = unsynced.afterPowerCut(random)
      found.modifiedMs = file.modifiedMs
      files.set(found, unsynced.survivedAs(found))
      return found
    }
    const surviveDirectory = (directory: MemoryDirectory): MemoryDirectory => {
      const found = new MemoryDirectory()
      for (const [name, entry] of this.#directory(directory).afterPowerCut(random, keepChance)) {
        const survivor =
          survivors.get(entry) ?? (entry instanceof MemoryFile ? surviveFile(entry) : surviveDirectory(entry))
        survivors.set(entry, survivor)
        found.entries.set(name, survivor)
      }
      directories.set(found, new UnsyncedDirectory(found.entries))
      return found
    }
    this.#root = surviveDirectory(this.#root)
    this.#files = files
    this.#directories = directories
  }

  /** Throws what is to fail; a failing sync has consequences of its own, so its code is returned instead. */
  #before(operation: string, path: string, addedBytes: number): string | undefined {
    const { capacityBytes, fault } = this.options
    const systemCode = fault?.(operation, path)
    if (systemCode !== undefined && operation !== 'sync') throw fileSystemError({ systemCode, path, operation })
    if (capacityBytes !== undefined && addedBytes > 0 && usedBytes(this.#root) + addedBytes > capacityBytes) {
      throw fileSystemError({ systemCode: 'ENOSPC', path, operation })
    }
    return systemCode
  }

  #sync(target: MemoryEntry, how: { path: string; lane: Lane; systemCode: string | undefined }): Promise<void> {
    const { random, scheduler } = this.#world
    const { path, lane, systemCode } = how
    const [low, high] = this.options.syncLatencyMs ?? [0.05, 2]
    const sync = target instanceof MemoryFile ? this.#file(target).beginSync() : this.#directory(target).beginSync()
    return new Promise((resolve, reject) => {
      const run = () => {
        if (systemCode === undefined) {
          sync.complete()
          resolve()
          return
        }
        sync.fail(random)
        reject(fileSystemError({ systemCode, path, operation: 'sync' }))
      }
      scheduler.after(random.between(low, high), lane, { label: `sync ${path}`, run })
    })
  }

  #file(file: MemoryFile): UnsyncedFile {
    let unsynced = this.#files.get(file)
    if (unsynced === undefined) {
      unsynced = new UnsyncedFile()
      this.#files.set(file, unsynced)
    }
    return unsynced
  }

  #directory(directory: MemoryDirectory): UnsyncedDirectory {
    let unsynced = this.#directories.get(directory)
    if (unsynced === undefined) {
      unsynced = new UnsyncedDirectory()
      this.#directories.set(directory, unsynced)
    }
    return unsynced
  }

  #changeNames(names: readonly (readonly [MemoryName, MemoryEntry | null])[], what: string): void {
    const sets = new Map<UnsyncedDirectory, Map<string, MemoryEntry | null>>()
    for (const [at, entry] of names) {
      const directory = this.#directory(at.directory)
      const own = sets.get(directory) ?? new Map<string, MemoryEntry | null>()
      own.set(at.name, entry)
      sets.set(directory, own)
      this.#world.trace.note(`${what} ${at.name}`)
    }
    const change: NameChange = { sets }
    for (const directory of sets.keys()) directory.changed(change)
  }
}

function usedBytes(directory: MemoryDirectory): number {
  let sum = 0
  for (const entry of directory.entries.values()) {
    sum += entry instanceof MemoryFile ? entry.sizeBytes : usedBytes(entry)
  }
  return sum
}
