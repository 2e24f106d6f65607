/** A blob that is there. */
export interface StoredBlob {
  readonly name: string
  readonly sizeBytes: number
  /** When it was last put, milliseconds since the epoch, as far as the store knows it. */
  readonly putAtMs: number
}

/**
 * The port of a store for large values, by names that say what is in them: putting the same name again means the same bytes. Reads and writes are
 * synchronous, as serdes are; only the disk may take its time, until `synced`.
 */
export interface BlobStore {
  /** Where it keeps its data, for messages. */
  readonly location: string
  /** Makes its place ready, when an application starts that uses it; rejects where there cannot be one. Absent: there is nothing to make ready. */
  open?(): Promise<void>
  /** Keeps bytes, which are given away. They can be read at once, and are on the disk when a later `synced` resolves. */
  put(name: string, bytes: Buffer): void
  /** The bytes, not to be changed, or undefined. What they are is not trusted: the reader compares. */
  get(name: string): Buffer | undefined
  /** Resolves when all that was put before the call is on the disk. Once a write has failed, it is rejected for good. */
  synced(): Promise<void>
  /** What is there, in no order; what is put or removed meanwhile may be missing. */
  list(): Iterable<StoredBlob>
  /** No error when it is not there. */
  remove(name: string): void
}
