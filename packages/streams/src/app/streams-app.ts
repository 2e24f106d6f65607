import type { Observable } from 'rxjs'
import type { AppMetrics, AppState, RestoreProgress } from '../observe/app-state.ts'
import type { SkewReport } from '../observe/skew.ts'
import type { QueryableStore } from '../query/queryable-store.ts'

/** A running topology. */
export interface StreamsApp {
  /** Where the application is in its life; the current state first. Completes with `closed` or `failed`. */
  readonly state$: Observable<AppState>
  /** The current state. */
  readonly state: AppState
  /** Resolves when the stores are restored and records are processed; at once when that is so, and when the application has ended. */
  readonly running: Promise<void>
  /**
   * Resolves when everything that was in the input topics at the call is processed and committed, and queries of this instance show it: what went through
   * internal topics too. Records of a transaction that is open at the call are waited for, until it ends. What the topology holds back (a suppress, a
   * window that is open) stays held back. An instance of several answers for the tasks that it has; what another one has yet to send them is not
   * waited for.
   * @throws ApplicationFailedError, or UsageError, when the application ends before that or has ended; UnknownTopicError.
   */
  caughtUp(): Promise<void>
  /** Progress of restores from changelogs. */
  readonly restore$: Observable<RestoreProgress>
  /** Figures after each commit, the latest first. */
  readonly metrics$: Observable<AppMetrics>
  /** The figures now. */
  metrics(): AppMetrics
  /**
   * How unevenly the input is spread over partitions and keys, as this instance sees it: what to look at when one task is behind the others. A hot key is
   * what `groupBy(…, { salt })` is for.
   */
  skew(): SkewReport
  /**
   * Resolves when the application has closed, rejects with ApplicationFailedError when it had to stop. An application that fails with nobody
   * looking at this or at `state$` fails the process, as an unhandled rejection.
   */
  readonly done: Promise<void>
  /**
   * A store by the name the topology gave it. Reads see committed data only.
   * @throws UnknownStoreError
   */
  store<K = unknown, V = unknown>(name: string): QueryableStore<K, V>
  /** Finishes the transaction at hand, leaves the group, releases everything. Resolves when done; calling it again does nothing more. */
  close(): Promise<void>
}
