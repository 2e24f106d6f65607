import type { StoreDefinition } from '../graph/node.ts'
import { sessionKey } from './session-key.ts'
import { placeLists } from './window-index.ts'

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
  const { indexBucketMs, name, key, retentionMs = 0 } = definition
  if (indexBucketMs === undefined) return [definition]
  return [{ name: indexName(name), kind: 'window', key, value: placeLists, retentionMs, named: false }, definition]
}

/** The store as tables and readers know it: a session's key begins with its start. */
export function inEngine(definition: StoreDefinition): StoreDefinition {
  return definition.kind === 'session' ? { ...definition, key: sessionKey(definition.key) } : definition
}
