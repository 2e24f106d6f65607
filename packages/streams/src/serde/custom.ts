import type { Serde } from './serde.ts'

/**
 * A serde of your own. `encode` and `decode` are synchronous and without state; the bytes that `decode` gets are its own view, not to be
 * kept: copy what stays.
 *
 * @example
 * const date = serde<Date>({
 *   name: 'date',
 *   encode: (value) => Buffer.from(value.toISOString()),
 *   decode: (bytes) => new Date(bytes.toString()),
 *   identity: (value) => value.getTime()
 * })
 */
export function serde<T>(definition: {
  readonly name: string
  readonly encode: (value: T) => Buffer
  readonly decode: (bytes: Buffer) => T
  readonly identity?: (value: T) => string | number | bigint | boolean
  /** Of the serde that it has inside, if it has one. */
  readonly besideLog?: Serde<T>['besideLog']
}): Serde<T> {
  const { decode, besideLog, ...rest } = definition
  return Object.freeze({
    ...rest,
    ...(besideLog && { besideLog }),
    decode: (bytes: Buffer, start: number, end: number) => decode(bytes.subarray(start, end))
  })
}

/**
 * The same serde for a key or value that may be null: null is null on the log and never reaches a serde, so only the type changes.
 *
 * @example
 * b.stream('profiles', { key: string(), value: nullable(json<Profile>()) })
 */
export function nullable<T>(inner: Serde<T>): Serde<T | null> {
  return inner as Serde<T | null>
}
