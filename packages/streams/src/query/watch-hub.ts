import { type Observable, Subject } from 'rxjs'
import type { StoreChange } from '../changelog/changelog-writer.ts'

/** Carries committed changes from the commit spine to whoever watches a store. A store that nobody watches costs nothing. */
export class WatchHub {
  readonly #subjects = new Map<string, Subject<StoreChange>>()
  readonly #published = new Subject<void>()

  /** Whether somebody watches the store now. */
  watched(store: string): boolean {
    return this.#subjects.get(store)?.observed ?? false
  }

  /** Committed changes of a store, in the order of the changelog. */
  changes(store: string): Observable<StoreChange> {
    const known = this.#subjects.get(store)
    if (known) return known.asObservable()
    const subject = new Subject<StoreChange>()
    this.#subjects.set(store, subject)
    return subject.asObservable()
  }

  /**
   * Emits after what a commit changed was published. Of a commit that was under way when a watch began, nobody collected what it changes in that
   * store: whoever begins to watch reads once more after it.
   */
  get published$(): Observable<void> {
    return this.#published.asObservable()
  }

  publish(changes: readonly StoreChange[]): void {
    for (const change of changes) this.#subjects.get(change.store)?.next(change)
    this.#published.next()
  }

  /** Completes all watches. */
  close(): void {
    for (const subject of this.#subjects.values()) subject.complete()
    this.#published.complete()
  }
}
