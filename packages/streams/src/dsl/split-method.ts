import type { StreamFunction } from './callback.ts'
import type { KStream } from './k-stream.ts'
import type { Slot, StepOptions } from './options.ts'

/** The branches of a split, by name, in the order in which they are tried. */
export type Branches<K, V> = Readonly<Record<string, StreamFunction<K, V, boolean>>>

/** Of a split: `default` names the branch for what no predicate took; without it such records are dropped. */
export interface SplitOptions<D extends string> extends StepOptions {
  readonly default?: D
}

/** The values of a branch: narrowed where its predicate is a type guard. */
type Narrowed<V, P> = P extends Guard<V, infer S> ? S : V

/** A predicate that tells the compiler what it found out. */
type Guard<V, S extends V> = (value: V, record: never) => value is S

/** `split`: a stream a branch. */
export type SplitMethod<K, V, Known extends Slot> = <B extends Branches<K, V>, const D extends string = never>(
  branches: B,
  options?: SplitOptions<D>
) => { readonly [N in keyof B]: KStream<K, Narrowed<V, B[N]>, Known> } & { readonly [N in D]: KStream<K, V, Known> }
