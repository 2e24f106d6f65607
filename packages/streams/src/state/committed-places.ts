import type { CheckedEngine } from './checked-engine.ts'
import type { KeyRange } from './engine.ts'
import { timestampBytes, windowKey, windowRange, windowStartOf } from './layout.ts'
import type { StoreContext } from './store-context.ts'
import { bucketOf } from './window-bucket.ts'
import { placeLists, type WindowPlace } from './window-index.ts'

/** A key's windows from one time to another, both included. */
export interface PlacesWanted {
  readonly keyBytes: Buffer
  readonly fromMs: number
  readonly toMs: number
  readonly reverse: boolean
}

/** Where a key's windows are, in the order of time or against it, as committed in an index: a page per entry of it. */
export async function* committedPlaces(
  { committed, engine }: StoreContext,
  bucketMs: number,
  { keyBytes, fromMs, toMs, reverse }: PlacesWanted
): AsyncGenerator<readonly WindowPlace[]> {
  const { prefix } = committed
  let [first, last] = [bucketOf(fromMs, bucketMs), Math.min(toMs, committed.maxWindowStartMs)]
  while (first <= last) {
    // The next entry of any key: buckets without windows cost nothing.
    const bucket = await nextWindow(engine, { ...windowRange(prefix, first, last + 1), reverse })
    if (bucket === undefined) return
    const bytes = engine.get(windowKey(prefix, bucket, keyBytes))
    if (bytes !== undefined) {
      const list = placeLists.decode(bytes, timestampBytes, bytes.length)
      const places: WindowPlace[] = []
      for (let at = 0; at < list.length; at += 2) {
        if (list[at] >= fromMs && list[at] <= toMs) places.push({ atMs: list[at], startMs: list[at + 1] })
      }
      yield reverse ? places.reverse() : places
    }
    if (reverse) last = bucket - 1
    else first = bucket + bucketMs
  }
}

/** Where the first window of a range starts, or the last one of a reversed range, whoever's it is; undefined: there is none. */
export async function nextWindow(engine: CheckedEngine, range: KeyRange): Promise<number | undefined> {
  for await (const [[key]] of engine.pages(range, 1)) return windowStartOf(key)
  return undefined
}
