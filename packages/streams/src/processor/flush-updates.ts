import type { StoreDefinition } from '../graph/node.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import type { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Emits what each pending key of a key-value store has become, in the order in which the keys first changed; a key that came and went
 * between two commits leaves nothing.
 */
export function flushUpdates(
  node: { readonly name: string; readonly store: StoreDefinition },
  parts: { readonly pending: PendingUpdates; readonly context: ProcessorContext; readonly forward: Forward }
): () => void {
  const { pending, context } = parts
  const store = context.stores.keyValue(node.store.name)
  const emit = context.guardEmission(emissionSource(node), parts.forward)
  return () => {
    for (const { key, oldValue, deletedAtMs } of pending.take()) {
      const current = store.get(key)
      if (current === undefined && oldValue === undefined) continue
      emit(emittedRecord(key, new Change(current?.value, oldValue), current?.timestamp ?? deletedAtMs))
    }
  }
}
