import type { StoreDefinition } from '../graph/node.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import type { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Emits what each pending key of a key-value store has become, in the order in which the keys first changed. A key that came and went between
 * two commits leaves nothing, or with `deletesUnseen` its deletion: who reads the table may have seen the row meanwhile.
 */
export function flushUpdates(
  node: { readonly name: string; readonly store: StoreDefinition },
  parts: {
    readonly pending: PendingUpdates
    readonly context: ProcessorContext
    readonly forward: Forward
    readonly deletesUnseen?: boolean
  }
): () => void {
  const { pending, context, deletesUnseen = false } = parts
  const emit = context.guardEmission(emissionSource(node), parts.forward)
  return () => {
    pending.take(({ key, current, deletedAtMs }, oldValue) => {
      if (current === undefined && oldValue === undefined && !deletesUnseen) return
      emit(emittedRecord(key, new Change(current?.value, oldValue), current?.timestamp ?? deletedAtMs))
    })
  }
}
