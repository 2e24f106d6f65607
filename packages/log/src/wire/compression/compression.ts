import { MillraceError } from '../../errors.ts'
import { DecodeError } from '../codec/errors.ts'
import type { Codec } from './codec.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

export { DecompressionLimitError } from './codec.ts'

/** How the records of a batch are packed, by Kafka's names. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** By the number that a batch's attributes carry. */
const names: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const codecs: { readonly [Name in Exclude<Compression, 'none'>]: Codec } = { gzip, snappy, lz4, zstd }

/** Most bytes that a batch may unpack to, by default: 64 MiB. */
export const DECOMPRESSION_LIMIT_BYTES = 64 * 1024 * 1024

/** The number of a codec in a batch's attributes. */
export function compressionId(compression: Compression): number {
  return names.indexOf(compression)
}

/** The codec that a batch's attributes name; undefined when the number means nothing. */
export function compressionOf(attributes: number): Compression | undefined {
  return names[attributes & 0x07]
}

/** Packs bytes. */
export function compress(compression: Compression, bytes: Buffer): Buffer {
  if (compression === 'none') return bytes
  return codecs[compression].compress(bytes)
}

/**
 * Unpacks bytes.
 * @throws DecodeError when they are damaged.
 * @throws DecompressionLimitError when they unpack to more than `limitBytes`.
 */
export function decompress(
  compression: Compression,
  packed: Buffer,
  limitBytes: number = DECOMPRESSION_LIMIT_BYTES
): Buffer {
  if (compression === 'none') return packed
  try {
    return codecs[compression].decompress(packed, limitBytes)
  } catch (error) {
    // What is ours already says what is wrong; the rest is a library's way to refuse damaged input.
    if (error instanceof MillraceError) throw error
    const reason = `${compression} refuses ${packed.length} bytes: ${error instanceof Error ? error.message : error}`
    throw new DecodeError({ reason, path: 'records', position: 0 }, { cause: error })
  }
}
