import type { StreamRecord } from '../graph/record.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import type { BufferStore, IndexedWindowStore, KeyValueStore, SessionStore, WindowStore } from '../state/store.ts'
import type { AsyncHost } from './async-host.ts'
import type { DropCounter } from './dropped-records.ts'
import type { IdleRequest, IdleWatch } from './idle-closing.ts'
import type { OperatorTime } from './operator-time.ts'
import type { Forward } from './processor.ts'
import type { Schedule } from './punctuation.ts'
import type { RecordCollector } from './record-collector.ts'

/** What a compiled graph needs of the task that runs it. */
export interface ProcessorContext {
  readonly stores: StoresOfTask
  /** Rows of a global table, by the name of its store. Absent where the topology has none. */
  readonly globalTable?: (store: string) => Pick<KeyValueStore<unknown, unknown>, 'get'>
  readonly collector: RecordCollector
  /** The task's partition number. */
  readonly partition?: number
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
  /**
   * Whether an error policy may go on without a record: what its time makes due beside it then waits for the flush, where it is guarded by itself. Else
   * it goes on within the record.
   */
  readonly mayGoOn: boolean
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  /** The greatest event time the task has taken in, -1 before the first record. */
  readonly streamTimeMs: () => number
  /** The time of day, milliseconds since the epoch. */
  readonly nowMs: () => number
  readonly schedule: Schedule
  /** Asks for a commit at the next chance. */
  readonly requestCommit: () => void
  /** Holds the task back: the current record, punctuation or flush is done only when this settles, and fails with it. */
  readonly wait: (pending: Promise<void>) => void
  /** Has a step told when nothing came to it for a while. */
  readonly watchIdle: (request: IdleRequest) => IdleWatch
  /** Looks after steps whose work outlives the record. */
  readonly asynchronous: AsyncHost
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
  indexedWindow(name: string): IndexedWindowStore<unknown, unknown>
  session(name: string): SessionStore<unknown, unknown>
  held(name: string): BufferStore<unknown>
  /** Keys of a buffer that are held back from before `toMs`, uncommitted changes included, by place, then by the key's bytes. */
  heldBefore(buffer: string, toMs: number): AsyncIterable<readonly WindowEntry[]>
  /** Keys of a store with a time to live whose rows are from before `toMs`, uncommitted changes included, by timestamp, then by the key's bytes. */
  rowsBefore(store: string, toMs: number): AsyncIterable<readonly WindowEntry[]>
  /** Windows that start in `[fromStartMs, toStartMs)`, uncommitted changes included, by window start, then by the key's bytes. */
  windowsClosing(store: string, fromStartMs: number, toStartMs: number): AsyncIterable<readonly WindowEntry[]>
  /** Windows that start before this are no longer needed; their space is given back in time. */
  expire(store: string, beforeWindowStartMs: number): void
}
