import { InvariantError } from '@millrace/log'
import type { StoreDefinition } from '../graph/node.ts'
import type { CheckedEngine } from './checked-engine.ts'
import { changesOf } from './engine.ts'
import { storeRange } from './layout.ts'
import {
  newStoreMeta,
  parseStoreMeta,
  type StoreMeta,
  storeMetaChange,
  storeMetaKey,
  storeMetaRange
} from './store-meta.ts'

const largestPrefix = 254

/** A store's meta, and whether it is the store's first: then the engine holds nothing of it. */
export interface LoadedMeta {
  readonly meta: StoreMeta
  readonly isNew: boolean
}

/**
 * The metas of the stores of a task, those that the engine knows and new ones for the others. What the engine holds of stores that the topology
 * no longer has is removed: their changelogs have it.
 */
export async function loadStoreMetas(
  engine: CheckedEngine,
  definitions: readonly StoreDefinition[]
): Promise<Map<string, LoadedMeta>> {
  const stored = new Map<string, StoreMeta>()
  for await (const page of engine.pages(storeMetaRange)) {
    for (const [key, value] of page) {
      const { store, meta } = parseStoreMeta(key, value)
      stored.set(store, meta)
    }
  }
  await removeOthers(engine, stored, definitions)
  const used = new Set([...stored.values()].map(({ prefix }) => prefix))
  const fresh = new Map<string, StoreMeta>()
  for (const { name, kind } of definitions) {
    if (stored.has(name)) continue
    let prefix = 1
    while (used.has(prefix)) prefix++
    if (prefix > largestPrefix) throw new InvariantError(`a task has more than ${largestPrefix} stores`)
    used.add(prefix)
    fresh.set(name, newStoreMeta(prefix, kind))
  }
  const changes = [...fresh].map(([name, meta]) => storeMetaChange(name, meta))
  if (changes.length > 0) await engine.write(changesOf(changes))
  const loaded =
    (isNew: boolean) =>
    ([name, meta]: [string, StoreMeta]) =>
      [name, { meta, isNew }] as const
  return new Map([...[...stored].map(loaded(false)), ...[...fresh].map(loaded(true))])
}

async function removeOthers(
  engine: CheckedEngine,
  stored: Map<string, StoreMeta>,
  definitions: readonly StoreDefinition[]
): Promise<void> {
  for (const [store, meta] of stored) {
    if (definitions.some(({ name, kind }) => name === store && kind === meta.kind)) continue
    // The entries go first: a store without a meta is one that was never written.
    await engine.clear(storeRange(meta.prefix))
    await engine.write(changesOf([{ key: storeMetaKey(store), value: null }]))
    stored.delete(store)
  }
}
