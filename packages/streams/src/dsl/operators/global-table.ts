import type { GlobalUpdates } from '../../graph/join-node.ts'
import { globalStoreName } from '../../graph/names.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Draft } from '../draft.ts'

/** A global table, by the name of its store. */
export interface GlobalPoint {
  readonly draft: Draft
  readonly store: string
}

/** Reads a topic as a table of which every instance has all partitions. */
export function globalTable(
  draft: Draft,
  topic: string,
  options: {
    readonly key: Serde<unknown>
    readonly value: Serde<unknown>
    readonly store?: string
    readonly updates?: GlobalUpdates
  }
): GlobalPoint {
  const { key, value, store: name, updates } = options
  draft.add({
    verb: 'globalTable',
    label: undefined,
    parents: [],
    body: { kind: 'global-table', topic, store: { kind: 'key-value', name, key, value }, ...(updates && { updates }) }
  })
  return { draft, store: globalStoreName(topic, name) }
}
