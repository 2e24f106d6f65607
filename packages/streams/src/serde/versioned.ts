import { besideLogOf } from './beside-log.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A serde of values that changed their shape over time. */
export interface VersionedSerde<T> extends Serde<T> {
  /** The next version: written from now on; what was written as this one is upgraded when it is read. */
  next<U>(serde: Serde<U>, upgrade: (value: T) => U): VersionedSerde<U>
}

/** Reads one version as the latest. */
type Read<T> = (bytes: Buffer, start: number, end: number) => T

/**
 * Values whose first byte says in which version they are written, from 1. Never take a version away while there may be bytes of it.
 *
 * @example
 * const user = versioned(json<UserV1>()).next(json<User>(), ({ name, ...rest }) => ({ ...rest, names: [name] }))
 */
export function versioned<T>(first: Serde<T>): VersionedSerde<T> {
  return withVersions(first, [(bytes, start, end) => first.decode(bytes, start, end)])
}

function withVersions<T>(latest: Serde<T>, reads: readonly Read<T>[]): VersionedSerde<T> {
  const version = reads.length
  const name = `versioned(${latest.name}, ${version})`
  return Object.freeze({
    name,
    ...besideLogOf(latest),
    encode: (value: T) => Buffer.concat([Buffer.of(version), latest.encode(value)]),
    decode(bytes: Buffer, start: number, end: number): T {
      const written = start < end ? bytes[start] : 0
      const read = reads[written - 1]
      if (read !== undefined) return read(bytes, start + 1, end)
      const problem = `it is of version ${written}, this program knows 1 to ${version}: was it written by a newer one?`
      throw new SerdeError({ serde: name, operation: 'decode', problem })
    },
    next<U>(serde: Serde<U>, upgrade: (value: T) => U): VersionedSerde<U> {
      const older = reads.map(
        (read): Read<U> =>
          (bytes, start, end) =>
            upgrade(read(bytes, start, end))
      )
      return withVersions(serde, [...older, (bytes, start, end) => serde.decode(bytes, start, end)])
    }
  })
}
