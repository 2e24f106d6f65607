import { defer, EMPTY, from, merge, mergeMap, type Observable, of, share, take, takeUntil, tap } from 'rxjs'
import type { StoreEntry } from './queryable-store.ts'

/** What a watch of one entry is made of. */
export interface WatchedEntry<K, V> {
  /** The committed entry. */
  read(): Promise<StoreEntry<K, V> | undefined>
  /** Its changes by commits that began after the subscription. */
  readonly changes$: Observable<StoreEntry<K, V>>
  /** Emits after each commit. */
  readonly published$: Observable<void>
  isSame(left: StoreEntry<K, V> | undefined, right: StoreEntry<K, V> | undefined): boolean
}

/**
 * The entry now, if there is one, and after every commit that changed it. What a commit changed that was under way at the subscription is in no one's
 * list of changes, and was perhaps not there yet at the first read: so it is read once more after the first commit that ends.
 */
export function watchEntry<K, V>({
  read,
  changes$,
  published$,
  isSame
}: WatchedEntry<K, V>): Observable<StoreEntry<K, V>> {
  return defer(() => {
    let seen: StoreEntry<K, V> | undefined
    const later$ = changes$.pipe(share())
    const now$ = defer(read).pipe(
      tap((entry) => {
        seen = entry
      }),
      mergeMap((entry) => (entry === undefined ? EMPTY : of(entry)))
    )
    const again$ = published$.pipe(
      take(1),
      mergeMap(() => from(read())),
      mergeMap((entry) => {
        if (isSame(entry, seen)) return EMPTY
        return entry === undefined ? gone(seen) : of(entry)
      })
    )
    // A commit between the reads is newer than what they find.
    return merge(later$, merge(now$, again$).pipe(takeUntil(later$)))
  })
}

function gone<K, V>(entry: StoreEntry<K, V> | undefined): Observable<StoreEntry<K, V>> {
  return entry === undefined ? EMPTY : of({ ...entry, value: undefined })
}
