import type { FileHandle } from '../../environment/environment.ts'

const WINDOW_BYTES = 1024 * 1024

/** Reads a file front to back in pieces of a megabyte, or of `windowBytes`. */
export class FileWindow {
  readonly #handle: FileHandle
  readonly #endPosition: number
  readonly #windowBytes: number
  #memory = Buffer.alloc(0)
  #buffer = Buffer.alloc(0)
  #start = 0

  constructor(handle: FileHandle, endPosition: number, windowBytes = WINDOW_BYTES) {
    this.#handle = handle
    this.#windowBytes = windowBytes
    this.#endPosition = endPosition
  }

  /** The bytes at `position`, fewer than asked for at the end; valid until the next call. */
  view(position: number, sizeBytes: number): Buffer {
    const end = Math.min(position + sizeBytes, this.#endPosition)
    if (position < this.#start || end > this.#start + this.#buffer.length) this.#load(position, end - position)
    return this.#buffer.subarray(position - this.#start, Math.max(end, position) - this.#start)
  }

  #load(position: number, neededBytes: number): void {
    const wanted = Math.max(0, Math.min(Math.max(this.#windowBytes, neededBytes), this.#endPosition - position))
    if (this.#memory.length < wanted) this.#memory = Buffer.allocUnsafeSlow(wanted)
    const got = this.#handle.read(this.#memory.subarray(0, wanted), position)
    this.#buffer = this.#memory.subarray(0, got)
    this.#start = position
  }
}
