import { sha256, UsageError } from '@millrace/log'
import { besideLogOf } from './beside-log.ts'
import { BlobError } from './blob-error.ts'
import type { BlobStore } from './blob-store.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** Of {@link claimCheck}. */
export interface ClaimCheckOptions {
  readonly store: BlobStore
  /** Values whose bytes are more than this go to the store; default 262,144. */
  readonly aboveBytes?: number
}

const inline = 0
const reference = 1
const hashBytes = 32
/** The tag, the hash, the length. */
const referenceBytes = 1 + hashBytes + 8
const defaultAboveBytes = 256 * 1024

/**
 * Large values beside the log: what `inner` writes goes to a blob store if it is large, and the record holds a reference. Blobs are named by their content
 * (SHA-256), so writing one again changes nothing, and a crash leaves at most a blob that nothing refers to (`sweepBlobs`). An application
 * commits only when its blobs are on the disk; a producer of your own waits for `store.synced()` before it sends, and a serde of your own that has this
 * one inside says so by its `besideLog`.
 *
 * Bytes: 0 and the value; or 1, the hash (32 bytes) and the length (8 bytes, big-endian).
 *
 * @throws BlobError when a value is decoded whose blob is missing or wrong.
 */
export function claimCheck<T>(inner: Serde<T>, { store, aboveBytes = defaultAboveBytes }: ClaimCheckOptions): Serde<T> {
  if (!(Number.isSafeInteger(aboveBytes) && aboveBytes >= 0)) {
    throw new UsageError(`claimCheck above ${aboveBytes} bytes: give a whole number from 0 up`)
  }
  const name = `claimCheck(${inner.name})`
  return Object.freeze({
    name,
    ...besideLogOf(inner, { besideLog: [store] }),
    encode(value: T): Buffer {
      const bytes = inner.encode(value)
      if (bytes.length <= aboveBytes) return Buffer.concat([Buffer.from([inline]), bytes])
      const hash = sha256(bytes)
      store.put(hash.toString('hex'), bytes)
      const encoded = Buffer.allocUnsafe(referenceBytes)
      encoded[0] = reference
      hash.copy(encoded, 1)
      encoded.writeBigUInt64BE(BigInt(bytes.length), 1 + hashBytes)
      return encoded
    },
    decode(bytes: Buffer, start: number, end: number): T {
      if (end > start && bytes[start] === inline) return inner.decode(bytes, start + 1, end)
      const blob = blobReference(bytes.subarray(start, end))
      if (blob === undefined) {
        const problem = `${end - start} bytes are neither a value nor a reference: were they written by another serde?`
        throw new SerdeError({ serde: name, operation: 'decode', problem })
      }
      const found = fetchBlob(store, blob)
      return inner.decode(found, 0, found.length)
    }
  })
}

/** A blob as a record refers to it. */
export interface BlobReference {
  readonly name: string
  readonly sizeBytes: number
}

/** What a value that {@link claimCheck} wrote refers to; undefined when it refers to nothing. */
export function blobReference(value: Uint8Array): BlobReference | undefined {
  if (value.length !== referenceBytes || value[0] !== reference) return undefined
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  return {
    name: bytes.toString('hex', 1, 1 + hashBytes),
    sizeBytes: Number(bytes.readBigUInt64BE(1 + hashBytes))
  }
}

/**
 * All that looks like a reference in some bytes, wherever it stands, to blobs of the sizes given.
 */
export function* blobReferencesIn(bytes: Buffer, sizes: ReadonlySet<number>): Generator<BlobReference> {
  for (let at = bytes.indexOf(reference); at >= 0; at = bytes.indexOf(reference, at + 1)) {
    if (at + referenceBytes > bytes.length) return
    const found = blobReference(bytes.subarray(at, at + referenceBytes))
    if (found !== undefined && sizes.has(found.sizeBytes)) yield found
  }
}

function fetchBlob(store: BlobStore, { name, sizeBytes }: BlobReference): Buffer {
  const { location } = store
  const found = store.get(name)
  if (found === undefined) throw new BlobError({ problem: 'missing', reference: name, location })
  if (found.length !== sizeBytes) {
    const lengths = `${found.length} bytes in place of ${sizeBytes}`
    throw new BlobError({ problem: 'corrupt', reference: name, location, found: lengths })
  }
  const hash = sha256(found).toString('hex')
  if (hash === name) return found
  throw new BlobError({ problem: 'corrupt', reference: name, location, found: `its hash is ${hash}` })
}
