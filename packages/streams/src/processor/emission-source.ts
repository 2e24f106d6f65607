import type { StoreDefinition } from '../graph/node.ts'
import { Windowed } from '../serde/windowed.ts'
import { Change } from './processor.ts'
import type { EmissionSource } from './task-context.ts'

/** How a dead letter shows an emission of a node with a store: the store's bytes of its key and new value. */
export function emissionSource(node: { readonly name: string; readonly store: StoreDefinition }): EmissionSource {
  return {
    node: node.name,
    encode: (record) => {
      const key = record.key instanceof Windowed ? record.key.key : record.key
      const value = record.value instanceof Change ? record.value.newValue : record.value
      return {
        key: node.store.key.encode(key),
        value: value === undefined || value === null ? null : node.store.value.encode(value)
      }
    }
  }
}
