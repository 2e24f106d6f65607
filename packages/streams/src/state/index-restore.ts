import type { StoreDefinition } from '../graph/node.ts'
import { readLong } from '../serde/long.ts'
import type { StateChange } from './engine.ts'
import { engineValue, timestampBytes, windowKey } from './layout.ts'
import type { StoreContext } from './store-context.ts'
import { bucketOf } from './window-bucket.ts'
import { addPlace, type PlaceList, placeLists, removePlace, type WindowPlace } from './window-index.ts'

/** Derives the changes of an index from a batch of restored windows: its entries as they are in the engine, with what the batch adds and removes. */
export class IndexRestore {
  readonly #index: StoreContext
  readonly #bucketMs: number
  readonly #isSession: boolean
  readonly #lists = new Map<string, { readonly engineKey: Buffer; readonly bucket: number; readonly list: PlaceList }>()

  constructor(index: StoreContext, windows: StoreDefinition) {
    this.#index = index
    this.#bucketMs = windows.indexBucketMs ?? 1
    this.#isSession = windows.kind === 'session'
  }

  /** @param engineKey Of the restored window or session, as `layout.ts` has it. */
  note(engineKey: Buffer, value: Buffer | null): void {
    const place: WindowPlace = { atMs: readLong(engineKey, 1), startMs: this.#isSession ? readLong(engineKey, 9) : 0 }
    const key = engineKey.subarray(this.#isSession ? 17 : 9)
    const entry = this.#entry(key, bucketOf(place.atMs, this.#bucketMs))
    if (value !== null) addPlace(entry.list, place.atMs, place.startMs)
    else removePlace(entry.list, place.atMs, place.startMs)
  }

  /** The changes, and the latest bucket among them (-1: none). */
  finish(): { readonly changes: StateChange[]; readonly newestMs: number } {
    const changes: StateChange[] = []
    let newestMs = -1
    for (const { engineKey, bucket, list } of this.#lists.values()) {
      changes.push({ key: engineKey, value: list.length === 0 ? null : engineValue(bucket, placeLists.encode(list)) })
      newestMs = Math.max(newestMs, bucket)
    }
    return { changes, newestMs }
  }

  #entry(key: Buffer, bucket: number) {
    const engineKey = windowKey(this.#index.meta.prefix, bucket, key)
    const id = engineKey.toString('latin1')
    let entry = this.#lists.get(id)
    if (entry === undefined) {
      const bytes = this.#index.engine.get(engineKey)
      const list = bytes === undefined ? [] : placeLists.decode(bytes, timestampBytes, bytes.length)
      entry = { engineKey, bucket, list }
      this.#lists.set(id, entry)
    }
    return entry
  }
}
