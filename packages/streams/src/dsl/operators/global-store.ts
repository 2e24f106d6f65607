import type { GlobalUpdates } from '../../graph/join-node.ts'
import type { ProcessorStore } from '../../graph/process-context.ts'
import type { RunningProcessor } from '../../graph/process-node.ts'
import type { StreamRecord } from '../../graph/record.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Draft } from '../draft.ts'
import { globalTable } from './global-table.ts'

/** A program's processor of a global store, its types laid down; written as methods for the reason given at `Callback`. */
export type AnyGlobalProcessor =
  | { run(record: StreamRecord, store: ProcessorStore): void | Promise<void> }['run']
  | { make(store: ProcessorStore): RunningProcessor }

/** What a global store is told. */
export interface GlobalStoreStep {
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly input?: { readonly key: Serde<unknown>; readonly value: Serde<unknown> }
  readonly process?: AnyGlobalProcessor
}

/** A topic that processors read as a store: its rows are the records, or what a processor of the program's own makes of them. */
export function addGlobalStore(
  draft: Draft,
  at: { readonly name: string; readonly topic: string },
  { key, value, input = { key, value }, process }: GlobalStoreStep
): void {
  const updates = process && { ...input, make: makerOf(process) }
  globalTable(draft, at.topic, { key, value, store: at.name, ...(updates && { updates }) })
}

function makerOf(processor: AnyGlobalProcessor): GlobalUpdates['make'] {
  if (typeof processor === 'object') return (store) => processor.make(store)
  return (store) => ({ process: (record) => processor(record, store) })
}
