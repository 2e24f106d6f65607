import type { Serde } from './serde.ts'

/** More than nearly all keys and counts take; what does not fit gets a buffer of its own. */
const sizeBytes = 1024

/**
 * A place for bytes that are copied at once by whoever gets them: a batch of the log, an engine's batch, a look-up. Each scratch holds one thing at a
 * time, and hands it out as a view that is made once per length: a `Buffer` object weighs more than most keys, and takes longer to make.
 */
export class Scratch {
  /** Where to write; what is there is valid until the next is written. */
  readonly bytes = Buffer.allocUnsafeSlow(sizeBytes)
  readonly #views: (Buffer | undefined)[] = new Array(sizeBytes + 1).fill(undefined)

  /** The first `length` bytes. */
  view(length: number): Buffer {
    const known = this.#views[length]
    if (known !== undefined) return known
    const view = this.bytes.subarray(0, length)
    this.#views[length] = view
    return view
  }

  /** The bytes of a value, valid until the next. */
  encode<T>(serde: Serde<T>, value: T): Buffer {
    const end = serde.encodeInto?.(value, this.bytes, 0) ?? -1
    return end < 0 ? serde.encode(value) : this.view(end)
  }
}
