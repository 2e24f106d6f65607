import type { FetchedPartition, OffsetReset } from './consumer-options.ts'

/** How a partition's position is to be found. */
export type PositionSource = 'committed' | OffsetReset

/** Where one assigned partition is read. The fields change as it is fetched, handed over, sought and paused. */
export class PartitionReader {
  readonly topic: string
  readonly partition: number
  /** What the next poll returns first; undefined until it is found by `source`. */
  position: number | undefined
  source: PositionSource
  paused = false
  /** Fetched ahead and not yet handed over. */
  fetched: FetchedPartition | undefined
  fetchedBytes = 0
  /** The version that a request under way asks for, if there is one; an older one than `version` does not count any more. */
  fetching: number | undefined
  /** Monotonic milliseconds before which it is not fetched, after a failure. */
  notBeforeMs = 0
  failures = 0
  /** Grows with every seek, so that an answer to an older question is known as such. */
  version = 0

  constructor(place: { readonly topic: string; readonly partition: number }, source: PositionSource) {
    this.topic = place.topic
    this.partition = place.partition
    this.source = source
  }

  /** Goes on at `offset`; what was fetched ahead is dropped. */
  seek(offset: number): void {
    this.#restart()
    this.position = offset
  }

  /** Goes on where `source` says. */
  reset(source: PositionSource): void {
    this.#restart()
    this.position = undefined
    this.source = source
  }

  /** Hands over what was fetched; the position moves behind it. */
  take(): FetchedPartition | undefined {
    const { fetched } = this
    if (fetched === undefined) return undefined
    this.fetched = undefined
    this.fetchedBytes = 0
    this.position = fetched.nextOffset
    return fetched
  }

  #restart(): void {
    this.version++
    this.fetched = undefined
    this.fetchedBytes = 0
  }
}
