import { UsageError } from '@millrace/log'
import { keyIdentity } from '../serde/key-identity.ts'
import { list } from '../serde/list.ts'
import { readLong, writeLong } from '../serde/long.ts'
import { number } from '../serde/number.ts'
import type { Serde } from '../serde/serde.ts'
import { expectLength } from '../serde/serde-error.ts'

/** What a comparison may go by. */
export type Comparable = number | bigint | string | Date

/**
 * An aggregation that is ready made: values `V` become a result `R`. For `collect` on a grouped stream, in windows or not. Null values take no
 * part.
 */
export type Collector<V, R> = Reducing<V> | Folding<V, R>

/** Keeps one of the values. */
export interface Reducing<V> {
  readonly verb: string
  reduce(value: V, kept: V): V
}

/** Keeps something of its own, of which the result is a view. */
export interface Folding<V, R, A = unknown> {
  readonly verb: string
  initial(): A
  add(value: V, folded: A): A
  /** Of two sessions; the earlier one first. `initial()` changes nothing. */
  merge(left: A, right: A): A
  /** How it is kept; `value` is the stream's own serde, if it is known. */
  state(value: Serde<V> | undefined): Serde<A> | undefined
  /** Absent: what is kept is the result. */
  result?(folded: A): R
}

/** The value that came first. */
export function first<V>(): Collector<V, V> {
  return { verb: 'first', reduce: (_, kept) => kept }
}

/** The value that came last; of a late record too. */
export function last<V>(): Collector<V, V> {
  return { verb: 'last', reduce: (value) => value }
}

/** The value for which `by` is least; of equal ones the first that came. */
export function min<V>(by: (value: V) => Comparable): Collector<V, V> {
  return { verb: 'min', reduce: (value, kept) => (by(value) < by(kept) ? value : kept) }
}

/** The value for which `by` is greatest; of equal ones the first that came. */
export function max<V>(by: (value: V) => Comparable): Collector<V, V> {
  return { verb: 'max', reduce: (value, kept) => (by(value) > by(kept) ? value : kept) }
}

interface Sum {
  readonly sum: number
  readonly count: number
}

/** The mean of what `of` says. The store keeps sum and count. */
export function average<V>(of: (value: V) => number): Collector<V, number> {
  return folding<V, number, Sum>({
    verb: 'average',
    initial: () => ({ sum: 0, count: 0 }),
    add: (value, { sum, count }) => ({ sum: sum + of(value), count: count + 1 }),
    merge: (left, right) => ({ sum: left.sum + right.sum, count: left.count + right.count }),
    state: () => sums,
    result: ({ sum, count }) => sum / count
  })
}

/**
 * The `n` values for which `by` is greatest, greatest first; of equal ones the first that came.
 * @throws UsageError when `n` is not a whole number from 1 up.
 */
export function topN<V>(n: number, by: (value: V) => Comparable): Collector<V, readonly V[]> {
  if (!(Number.isSafeInteger(n) && n > 0)) throw new UsageError(`topN(${n}): give a whole number from 1 up`)
  const add = (value: V, top: readonly V[]): readonly V[] => {
    const rank = by(value)
    let at = top.length
    while (at > 0 && by(top[at - 1]) < rank) at--
    return at >= n ? top : top.toSpliced(at, 0, value).slice(0, n)
  }
  return folding<V, readonly V[], readonly V[]>({
    verb: `top${n}`,
    initial: () => [],
    add,
    merge: (left, right) => right.reduce<readonly V[]>((top, value) => add(value, top), left),
    state: (value) => (value === undefined ? undefined : list(value))
  })
}

/** The different things that `of` says, in the order in which they first came. All are kept: bound them by windows where they are many. */
export function distinct<V, T>(of: (value: V) => T, serde: Serde<NoInfer<T>>): Collector<V, readonly T[]> {
  const identity = keyIdentity<T>(serde)
  const put = (seen: readonly T[], one: T): readonly T[] => {
    const id = identity(one)
    return seen.some((other) => identity(other) === id) ? seen : [...seen, one]
  }
  return folding<V, readonly T[], readonly T[]>({
    verb: 'distinct',
    initial: () => [],
    add: (value, seen) => put(seen, of(value)),
    merge: (left, right) => right.reduce(put, left),
    state: () => list<T>(serde)
  })
}

/** Lays the type of what is kept down: only the collector itself gets to see it. */
function folding<V, R, A>(made: Folding<V, R, A>): Collector<V, R> {
  return made as Folding<V, R>
}

const doubles = number()
const sums: Serde<Sum> = Object.freeze({
  name: 'sum and count',
  encode({ sum, count }: Sum): Buffer {
    const bytes = Buffer.alloc(16)
    doubles.encode(sum).copy(bytes)
    writeLong(bytes, count, 8)
    return bytes
  },
  decode(bytes: Buffer, start: number, end: number): Sum {
    expectLength('sum and count', end - start, 16)
    return { sum: doubles.decode(bytes, start, start + 8), count: readLong(bytes, start + 8) }
  }
})
