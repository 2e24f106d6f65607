import { MillraceError } from '../../errors.ts'

/** One way to pack bytes. */
export interface Codec {
  compress(bytes: Buffer): Buffer
  /** @throws DecompressionLimitError when the result would be larger than `limitBytes`; it is not allocated then. */
  decompress(packed: Buffer, limitBytes: number): Buffer
}

/** A batch unpacks to more than the limit: damaged, hostile, or the limit is too low for this topic. */
export class DecompressionLimitError extends MillraceError {
  readonly code = 'MILLRACE_DECOMPRESSION_LIMIT'
  readonly limitBytes: number

  constructor(limitBytes: number, options?: ErrorOptions) {
    super(`a batch unpacks to more than ${limitBytes} bytes: raise the limit if its producer is to be trusted`, options)
    this.limitBytes = limitBytes
  }
}

/** Refuses a size above the limit. */
export function checkLimit(sizeBytes: number, limitBytes: number): void {
  if (sizeBytes > limitBytes) throw new DecompressionLimitError(limitBytes)
}
