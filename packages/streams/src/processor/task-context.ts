import type { StreamRecord } from '../graph/record.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import type { KeyValueStore, WindowStore } from '../state/store.ts'
import type { DropCounter } from './dropped-records.ts'
import type { OperatorTime } from './operator-time.ts'
import type { Forward } from './processor.ts'
import type { RecordCollector } from './record-collector.ts'

/** What a compiled graph needs of the task that runs it. */
export interface ProcessorContext {
  readonly stores: StoresOfTask
  readonly collector: RecordCollector
  /** Full name of an internal topic. */
  readonly internalTopic: (name: string) => string
  /** Takes part in the stage of every record that may be skipped. */
  readonly stage: (participant: StageParticipant) => void
  /** The node's time, which the task commits and restores. */
  readonly operatorTime: (node: string) => OperatorTime
  readonly dropCounter: (node: string) => DropCounter
  /**
   * Wraps the way out of a node that emits during the commit's flush: there the error policy applies to the one emission, since there is
   * no source record to apply it to.
   */
  readonly guardEmission: (emission: EmissionSource, forward: Forward) => Forward
  /** Development: is shown every value before a callback gets it. Absent in production. */
  readonly inspect?: (value: unknown) => void
}

/** A node that emits during the flush, and how what it emits looks in a dead letter. */
export interface EmissionSource {
  readonly node: string
  readonly encode: (record: StreamRecord) => { readonly key: Buffer | null; readonly value: Buffer | null }
}

/** Something that can undo what one record did to it. `mark` is called before the record, `rollback` at most once after. */
export interface StageParticipant {
  mark(): void
  rollback(): void
}

/** What operators and the task need of the task's stores. */
export interface StoresOfTask extends StageParticipant {
  keyValue(name: string): KeyValueStore<unknown, unknown>
  window(name: string): WindowStore<unknown, unknown>
  /** Windows that start in `[fromStartMs, toStartMs)`, uncommitted changes included, by window start, then by the key's bytes. */
  windowsClosing(store: string, fromStartMs: number, toStartMs: number): AsyncIterable<readonly WindowEntry[]>
  /** Windows that start before this are no longer needed; their space is given back in time. */
  expire(store: string, beforeWindowStartMs: number): void
}
