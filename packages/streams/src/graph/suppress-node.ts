import type { LateRecords } from './late-records.ts'
import type { NodeBase, StoreDefinition } from './node.ts'

/** Holds a table's updates back: the last of each key goes on. Records leave it as changes. */
export interface SuppressNode extends NodeBase {
  readonly kind: 'suppress'
  readonly until: SuppressUntil
  readonly store: StoreDefinition
  /** What an update that goes on says that the key was before: what went on last, or what it was before the last update that was held back. */
  readonly oldValue: 'emitted' | 'latest'
  /** Of updates for windows that were closed while nothing came. Absent: they are counted, and no more. */
  readonly late?: LateRecords
}

/** How long updates are held back. All in milliseconds of stream time. */
export type SuppressUntil =
  /** Until the window's end is `delayMs` past: then it takes no more records. Or until nothing came for `idleMs` by the time of day. */
  | { readonly kind: 'window-close'; readonly delayMs: number; readonly idleMs?: number }
  /** Until the first update held back is `limitMs` past, or the buffer is full. */
  | ({ readonly kind: 'time-limit'; readonly limitMs: number } & SuppressBounds)

/** What the buffer may hold at a commit; absent: no bound. */
export interface SuppressBounds {
  readonly maxRecords?: number
  /** Of keys and values as they are written. */
  readonly maxBytes?: number
  /** Emit the oldest before their time, or fail. */
  readonly whenFull: 'emit-early' | 'stop'
}
