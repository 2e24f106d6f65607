import type { StoreDefinition } from '../graph/node.ts'
import type { Serde } from '../serde/serde.ts'
import { sessionKey } from './session-key.ts'
import { hasTimeIndex } from './time-index.ts'
import { placeLists } from './window-index.ts'

/** Of entries that say all by being there. */
const presence: Serde<unknown> = Object.freeze({ name: 'presence', encode: () => Buffer.alloc(0), decode: () => true })

/** Not a name that a topology can give: it has a slash. */
const suffix = '/index'

/** The name of a store's index. */
export function indexName(store: string): string {
  return `${store}${suffix}`
}

/** Whether a store is another one's index: without a changelog, since it can be derived. */
export function isIndexName(store: string): boolean {
  return store.endsWith(suffix)
}

/** A store, and before it its index, if it has one. */
export function withIndex(definition: StoreDefinition): readonly StoreDefinition[] {
  const { indexBucketMs, name, key, retentionMs = 0, engine } = definition
  const beside = { name: indexName(name), kind: 'window', key, named: false, ...(engine && { engine }) } as const
  if (hasTimeIndex(definition)) {
    return [{ ...beside, value: presence, retentionMs: 0 }, definition]
  }
  if (indexBucketMs === undefined) return [definition]
  return [{ ...beside, value: placeLists, retentionMs }, definition]
}

/** The store as tables and readers know it: a session's key begins with its start. */
export function inEngine(definition: StoreDefinition): StoreDefinition {
  return definition.kind === 'session' ? { ...definition, key: sessionKey(definition.key) } : definition
}
