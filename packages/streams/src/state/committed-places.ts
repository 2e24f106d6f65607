import { windowKey, windowRange, windowStartOf } from './layout.ts'
import type { StoreContext } from './store-context.ts'
import { bucketOf } from './window-bucket.ts'
import { placeLists, type WindowPlace } from './window-index.ts'

const timestampBytes = 8

/** Where a key's windows are, from `fromMs` to `toMs`, both included, as committed in an index: a page per entry of it. */
export async function* committedPlaces(
  { committed, engine }: StoreContext,
  bucketMs: number,
  { keyBytes, fromMs, toMs }: { readonly keyBytes: Buffer; readonly fromMs: number; readonly toMs: number }
): AsyncGenerator<readonly WindowPlace[]> {
  const { prefix } = committed
  let bucket = bucketOf(fromMs, bucketMs)
  while (bucket <= toMs && bucket <= committed.maxWindowStartMs) {
    // The next entry of any key: buckets without windows cost nothing.
    const scan = engine.pages(windowRange(prefix, bucket, toMs + 1), 1)
    const page = await scan.next()
    await scan.return(undefined)
    if (page.done === true) return
    bucket = windowStartOf(page.value[0][0])
    const bytes = engine.get(windowKey(prefix, bucket, keyBytes))
    if (bytes !== undefined) {
      const list = placeLists.decode(bytes, timestampBytes, bytes.length)
      const places: WindowPlace[] = []
      for (let at = 0; at < list.length; at += 2) {
        if (list[at] >= fromMs && list[at] <= toMs) places.push({ atMs: list[at], startMs: list[at + 1] })
      }
      yield places
    }
    bucket += bucketMs
  }
}
