import { DecompressionLimitError } from './codec.ts'

/** Size of the pieces in which output is gathered; the library's 16 KiB would mean many small ones. */
export const OUTPUT_CHUNK_BYTES = 128 * 1024

/** Runs one of Node's decompressors and names its refusal of too large an output. */
export function withLimit(limitBytes: number, run: () => Buffer): Buffer {
  try {
    return run()
  } catch (error) {
    const tooLarge = error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw tooLarge ? new DecompressionLimitError(limitBytes, { cause: error }) : error
  }
}
