import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Codec } from './codec.ts'
import { OUTPUT_CHUNK_BYTES, withLimit } from './zlib-limit.ts'

/** Codec 4: RFC 8878 (KIP-110). */
export const zstd: Codec = {
  compress: (bytes) => zstdCompressSync(bytes),
  decompress: (packed, limitBytes) =>
    withLimit(limitBytes, () =>
      zstdDecompressSync(packed, { maxOutputLength: limitBytes, chunkSize: OUTPUT_CHUNK_BYTES })
    )
}
