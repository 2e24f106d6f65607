import type { CommittedIndex } from './committed-reader.ts'
import { changesOf, type KeyRange } from './engine.ts'
import { IndexRestore } from './index-restore.ts'
import { decodeEngineValue, keyOffset, storeRange, windowRange, windowStartOf } from './layout.ts'
import type { StoreContext } from './store-context.ts'
import { type StoreMeta, storeMetaChange } from './store-meta.ts'
import type { WindowTable } from './window-table.ts'

const pageEntries = 4_096

/** A store whose windows begin anywhere, and the store of its index. */
export interface IndexedWindows {
  readonly table: WindowTable
  readonly windows: StoreContext
  readonly index: StoreContext
}

/** Whether there are committed windows, and nothing in the index: then memory held all of them when they were committed. */
export function isUnindexed({ windows, index }: IndexedWindows): boolean {
  return windows.committed.maxWindowStartMs >= 0 && index.committed.maxWindowStartMs < 0
}

/** What queries find a key's windows by: the index, or where there is none what is in memory. */
export function committedIndex(of: IndexedWindows): CommittedIndex {
  return {
    context: of.index,
    places: (key, fromMs, toMs) => (isUnindexed(of) ? of.table.placesInMemory(key, fromMs, toMs) : undefined)
  }
}

/** Takes the windows of a store without an index into memory. If they no longer fit, or can not be read, it gets its index. */
export async function loadUnindexed(of: IndexedWindows): Promise<void> {
  if (!isUnindexed(of) || (await fitsMemory(of))) return
  of.table.drop()
  await completeWindowIndex(of)
}

async function fitsMemory({ table, windows }: IndexedWindows): Promise<boolean> {
  const { definition, committed, engine } = windows
  table.beginLoad()
  for await (const page of engine.pages(unexpired(committed), pageEntries)) {
    for (const [engineKey, bytes] of page) {
      const key = definition.key.decode(engineKey, keyOffset(definition.kind), engineKey.length)
      if (!table.load(key, windowStartOf(engineKey), decodeEngineValue(definition, bytes))) return false
    }
  }
  return true
}

/** Derives the index of a store that has none from its windows. A crash in between is met again at the next start. */
export async function completeWindowIndex({ windows, index }: IndexedWindows): Promise<void> {
  const { engine, committed } = index
  await engine.clear(storeRange(committed.prefix))
  let newestMs = -1
  for await (const page of engine.pages(unexpired(windows.committed), pageEntries)) {
    const restore = new IndexRestore(index, windows.definition)
    for (const [engineKey, bytes] of page) restore.note(engineKey, bytes)
    const found = restore.finish()
    newestMs = Math.max(newestMs, found.newestMs)
    await engine.write(changesOf(found.changes))
  }
  const completed = { ...committed, maxWindowStartMs: newestMs, committedAtMs: windows.committed.committedAtMs }
  await engine.write(changesOf([storeMetaChange(index.definition.name, completed)]))
  index.committed = completed
  index.meta = { ...completed }
}

function unexpired({ prefix, expiredBeforeMs }: StoreMeta): KeyRange {
  return windowRange(prefix, expiredBeforeMs, Number.POSITIVE_INFINITY)
}
