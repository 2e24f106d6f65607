import type { BlobStore } from './blob-store.ts'

/**
 * How values of `T` become bytes and come back. Synchronous and without state; the same value always gives the same bytes.
 * Null never reaches a serde: a null key or value is null on the log.
 */
export interface Serde<T> {
  /** Short name for descriptions, e.g. `json`. */
  readonly name: string
  /** The bytes of `value`; they are given away. */
  encode(value: T): Buffer
  /**
   * Writes the bytes of `value` into `target` from `at` on and returns where they end; a negative number when they do not fit, whatever was written
   * by then. The same bytes as those of `encode`, without a buffer of their own: for values whose bytes are cheap to make, since it may be called
   * again where the bytes of `encode` would have been kept. Absent: `encode` is called.
   */
  encodeInto?(value: T, target: Buffer, at: number): number
  /**
   * The value in `bytes` from `start` (inclusive) to `end` (exclusive). The buffer is shared: a serde that keeps bytes copies them.
   * @throws SerdeError (or anything) when the bytes are not of `T`; the deserialization policy then decides.
   */
  decode(bytes: Buffer, start: number, end: number): T
  /**
   * A primitive that is equal exactly when two values are: lets stores look keys up without encoding them. Absent: the encoded bytes, as
   * a latin1 string, are the identity.
   */
  identity?(value: T): string | number | bigint | boolean
  /** Stores that values go to beside the log (`claimCheck`): commits wait until they are on the disk. A serde made of others has theirs. */
  readonly besideLog?: readonly BlobStore[]
}
