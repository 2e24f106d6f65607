import type { OperatorFunction } from 'rxjs'
import type { KStream } from './k-stream.ts'
import type { GivenValue, PipeOptions, Slot } from './options.ts'

/** The type of `pipe()`: up to six operators, each fed with what the one before gives, then options. More: nest them with RxJS' `pipe`. */
export interface PipeMethod<K, V, Known extends Slot> {
  <A>(a: OperatorFunction<V, A>, options: PipeOptions & GivenValue<A>): KStream<K, A, Known | 'value'>
  <A>(a: OperatorFunction<V, A>, options?: PipeOptions): KStream<K, A, Exclude<Known, 'value'>>
  <A, B>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    options: PipeOptions & GivenValue<B>
  ): KStream<K, B, Known | 'value'>
  <A, B>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    options?: PipeOptions
  ): KStream<K, B, Exclude<Known, 'value'>>
  <A, B, C>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    options: PipeOptions & GivenValue<C>
  ): KStream<K, C, Known | 'value'>
  <A, B, C>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    options?: PipeOptions
  ): KStream<K, C, Exclude<Known, 'value'>>
  <A, B, C, D>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
    options: PipeOptions & GivenValue<D>
  ): KStream<K, D, Known | 'value'>
  <A, B, C, D>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
    options?: PipeOptions
  ): KStream<K, D, Exclude<Known, 'value'>>
  <A, B, C, D, E>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
    e: OperatorFunction<D, E>,
    options: PipeOptions & GivenValue<E>
  ): KStream<K, E, Known | 'value'>
  <A, B, C, D, E>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
    e: OperatorFunction<D, E>,
    options?: PipeOptions
  ): KStream<K, E, Exclude<Known, 'value'>>
  <A, B, C, D, E, F>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
    e: OperatorFunction<D, E>,
    f: OperatorFunction<E, F>,
    options: PipeOptions & GivenValue<F>
  ): KStream<K, F, Known | 'value'>
  <A, B, C, D, E, F>(
    a: OperatorFunction<V, A>,
    b: OperatorFunction<A, B>,
    c: OperatorFunction<B, C>,
    d: OperatorFunction<C, D>,
    e: OperatorFunction<D, E>,
    f: OperatorFunction<E, F>,
    options?: PipeOptions
  ): KStream<K, F, Exclude<Known, 'value'>>
}
