import { besideLogOf } from './beside-log.ts'
import { readLong, writeLong } from './long.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A value and the time from which it is valid, milliseconds; undefined: the key was deleted then. */
export interface Version {
  readonly value: unknown
  readonly timestamp: number
}

/** Versions of one key, oldest first, one for a timestamp. */
export type VersionList = readonly Version[]

/** The version that was valid at a time. */
export function versionAt(versions: VersionList, asOfMs: number): Version | undefined {
  let at = versions.length - 1
  while (at >= 0 && versions[at].timestamp > asOfMs) at--
  return versions[at]
}

/** The list with one more version, which takes the place of one with the same timestamp. */
export function withVersion(versions: VersionList, version: Version): VersionList {
  let at = versions.length
  while (at > 0 && versions[at - 1].timestamp > version.timestamp) at--
  const replaced = at > 0 && versions[at - 1].timestamp === version.timestamp ? 1 : 0
  return versions.toSpliced(at - replaced, replaced, version)
}

/** The list without what no one may ask for any more: versions that ended at or before a time, and a deletion that nothing precedes. */
export function prunedVersions(versions: VersionList, keptFromMs: number): VersionList {
  let from = 0
  while (from + 1 < versions.length && versions[from + 1].timestamp <= keptFromMs) from++
  const first = versions[from]
  if (first !== undefined && first.value === undefined && first.timestamp < keptFromMs) from++
  return from === 0 ? versions : versions.slice(from)
}

const headerBytes = 12
const deleted = -1

/** Version lists as bytes: per version its timestamp (8 bytes), the value's length (4 bytes, -1 for a deletion) and the value. */
export function versionListSerde(inner: Serde<unknown>): Serde<unknown> {
  const name = `versions(${inner.name})`
  return Object.freeze({
    name,
    ...besideLogOf(inner),
    encode(value: unknown): Buffer {
      const parts: Buffer[] = []
      for (const version of toVersions(value)) {
        const header = Buffer.allocUnsafe(headerBytes)
        const body = version.value === undefined ? undefined : inner.encode(version.value)
        writeLong(header, version.timestamp, 0)
        header.writeInt32BE(body?.length ?? deleted, 8)
        parts.push(header)
        if (body !== undefined) parts.push(body)
      }
      return Buffer.concat(parts)
    },
    ...(inner.encodeInto && { encodeInto: versionsInto(inner) }),
    decode(bytes: Buffer, start: number, end: number): VersionList {
      const versions: Version[] = []
      for (let at = start; at < end; ) {
        if (at + headerBytes > end) throw torn(name)
        const timestamp = readLong(bytes, at)
        const length = bytes.readInt32BE(at + 8)
        at += headerBytes
        const next = at + Math.max(0, length)
        if (next > end) throw torn(name)
        versions.push({ timestamp, value: length === deleted ? undefined : inner.decode(bytes, at, next) })
        at = next
      }
      return versions
    }
  })
}

function versionsInto(inner: Serde<unknown>): NonNullable<Serde<unknown>['encodeInto']> {
  return (value, target, at) => {
    let end = at
    for (const version of toVersions(value)) {
      const bodyAt = end + headerBytes
      if (bodyAt > target.length) return -1
      writeLong(target, version.timestamp, end)
      end = version.value === undefined ? bodyAt : (inner.encodeInto?.(version.value, target, bodyAt) ?? -1)
      if (end < 0) return -1
      target.writeInt32BE(version.value === undefined ? deleted : end - bodyAt, bodyAt - 4)
    }
    return end
  }
}

/** What a store with this serde returned. */
export function toVersions(value: unknown): VersionList {
  return Array.isArray(value) ? value : []
}

function torn(serde: string): SerdeError {
  return new SerdeError({ serde, operation: 'decode', problem: 'the bytes end within a version' })
}
