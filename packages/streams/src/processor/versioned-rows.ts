import { prunedVersions, toVersions, type Version, versionAt, withVersion } from '../serde/version-list.ts'
import type { KeyValueStore } from '../state/store.ts'
import type { OperatorTime } from './operator-time.ts'

/** What became of a version that was put. */
export interface PutVersion {
  /** What was the latest before. */
  readonly before: Version | undefined
  /** Whether it is the latest now. */
  readonly isLatest: boolean
}

/**
 * The rows of a store that remembers: every version of a row that was valid within `historyMs` before the newest one of all. One entry a key holds its
 * versions, so that a read as of any time is one point read.
 */
export class VersionedRows {
  readonly #store: KeyValueStore<unknown, unknown>
  readonly #time: OperatorTime
  readonly #historyMs: number

  /** @param time Of those who write: it knows the newest version of all. */
  constructor(store: KeyValueStore<unknown, unknown>, time: OperatorTime, historyMs: number) {
    this.#store = store
    this.#time = time
    this.#historyMs = historyMs
  }

  get name(): string {
    return this.#store.name
  }

  /** The newest version of a row, a deletion too. */
  latest(key: unknown): Version | undefined {
    return toVersions(this.#store.get(key)?.value).at(-1)
  }

  /** The row as it was at a time; undefined where it was none, and for times before the history, unless the latest version is older still. */
  asOf(key: unknown, asOfMs: number): { readonly value: unknown; readonly timestamp: number } | undefined {
    const versions = toVersions(this.#store.get(key)?.value)
    const version = versionAt(versions, asOfMs)
    if (version !== versions.at(-1) && asOfMs < this.#time.observedMs - this.#historyMs) return undefined
    return version?.value === undefined ? undefined : version
  }

  /**
   * Puts a version in its place, which may be in the past.
   * @param value Undefined: from then on there is no row.
   * @returns undefined when it is older than the history, and nothing is done.
   */
  put(key: unknown, value: unknown, timestamp: number): PutVersion | undefined {
    const time = this.#time
    if (timestamp < time.observedMs - this.#historyMs) return undefined
    if (timestamp > time.observedMs) time.observedMs = timestamp
    const versions = toVersions(this.#store.get(key)?.value)
    const before = versions.at(-1)
    const kept = prunedVersions(withVersion(versions, { value, timestamp }), time.observedMs - this.#historyMs)
    this.#store.put(key, kept.length === 0 ? null : kept, kept.at(-1)?.timestamp ?? timestamp)
    return { before, isLatest: before === undefined || timestamp >= before.timestamp }
  }
}
