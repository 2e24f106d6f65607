import { crc32c, extendCrc32c } from '@millrace/log'
import { CommitNumbers, commitRange } from './commit-numbers.ts'
import type { ChangeTeller, KeyRange, StateEngine, StateScan } from './engine.ts'
import { StoreDamagedError } from './errors.ts'
import { checksumBytes } from './layout.ts'

/**
 * Any engine, not trusted. Every value ends with a CRC-32C of key and value, checked on every read; every batch has a number, and a gap in them
 * at open is damage. So a wrong value is never returned, and a batch lost from between others is found at open. What is found when:
 *
 * - at open: lost batches (commit numbers); damaged files, by the engine itself (`level/level-files.ts`, `file-engine.ts`)
 * - at every read and scan: an entry whose key or value is wrong
 * - on demand: every entry (`verify`)
 *
 * A batch lost from the end is no damage: the changelog's offset went with it.
 */
export class CheckedEngine {
  readonly #engine: StateEngine
  readonly #commits: CommitNumbers

  private constructor(engine: StateEngine, commits: CommitNumbers) {
    this.#engine = engine
    this.#commits = commits
  }

  /** @throws StoreDamagedError when a commit is missing. */
  static async open(engine: StateEngine): Promise<CheckedEngine> {
    const commits = new CommitNumbers()
    const checked = new CheckedEngine(engine, commits)
    const records: (readonly [Buffer, Buffer])[] = []
    for await (const page of checked.pages(commitRange)) records.push(...page)
    const problem = commits.load(records)
    if (problem !== undefined) throw new StoreDamagedError(engine.location, problem)
    return checked
  }

  /** The value without its checksum; the caller's own. */
  get(key: Buffer): Buffer | undefined {
    const value = this.#engine.get(key)
    return value === undefined ? undefined : this.#unseal(key, value)
  }

  /**
   * Writes one atomic, synced, numbered batch. Each value ends with `checksumBytes` spare bytes, filled here.
   */
  async write(tell: ChangeTeller): Promise<void> {
    let sizeBytes = 0
    await this.#engine.write((take) => {
      const takeSealed = (key: Buffer, value: Buffer | null): void => {
        sizeBytes += key.length + (value === null ? 0 : value.length)
        if (value !== null) seal(key, value)
        take(key, value)
      }
      tell(takeSealed)
      for (const { key, value } of this.#commits.next(sizeBytes)) {
        if (value !== null) seal(key, value)
        take(key, value)
      }
    })
    this.#commits.committed(sizeBytes)
  }

  /** Pages of verified entries, values without checksums. */
  async *pages(range: KeyRange, pageEntries = 512): AsyncGenerator<(readonly [Buffer, Buffer])[]> {
    const scan: StateScan = this.#engine.scan(range)
    try {
      for (;;) {
        const page = await scan.next(pageEntries)
        if (page.length === 0) return
        yield page.map(([key, value]) => [key, this.#unseal(key, value)] as const)
      }
    } finally {
      await scan.close()
    }
  }

  /** About how many entries there are in a range. */
  approximateEntries(range: KeyRange): Promise<number> {
    return this.#engine.approximateEntries(range)
  }

  /** Removes a range; neither atomic nor numbered: losing it must be harmless. */
  clear(range: KeyRange): Promise<void> {
    return this.#engine.clear(range)
  }

  /**
   * Reads every entry.
   * @returns how many there are.
   * @throws StoreDamagedError at the first wrong one.
   */
  async verify(): Promise<number> {
    let entries = 0
    for await (const page of this.pages({ gte: Buffer.alloc(1), lt: Buffer.alloc(64, 0xff) })) entries += page.length
    return entries
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #unseal(key: Buffer, value: Buffer): Buffer {
    const end = value.length - checksumBytes
    if (end < 0 || value.readUInt32BE(end) !== checksum(key, value, end)) {
      throw new StoreDamagedError(this.#engine.location, `the entry of key ${key.toString('hex')} fails its checksum`)
    }
    return value.subarray(0, end)
  }
}

function seal(key: Buffer, value: Buffer): void {
  const end = value.length - checksumBytes
  value.writeUInt32BE(checksum(key, value, end), end)
}

/** Of the key, then the value up to `end`. */
function checksum(key: Buffer, value: Buffer, end: number): number {
  return extendCrc32c(crc32c(key), value, 0, end)
}
