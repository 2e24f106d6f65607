import type { StoreDefinition } from '../graph/node.ts'
import type { CheckedEngine } from './checked-engine.ts'
import type { StoreMeta } from './store-meta.ts'

/** One store's place in its task's engine. */
export interface StoreContext {
  readonly definition: StoreDefinition
  readonly engine: CheckedEngine
  /** As it will be committed next. */
  meta: StoreMeta
  /** As it is in the engine. */
  committed: StoreMeta
  /** It was opened without anything in the engine. */
  readonly isNew: boolean
  /** Entries in memory above which clean ones are dropped. */
  readonly cacheEntries: number
}
