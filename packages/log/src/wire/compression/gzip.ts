import { gunzipSync, gzipSync } from 'node:zlib'
import type { Codec } from './codec.ts'
import { OUTPUT_CHUNK_BYTES, withLimit } from './zlib-limit.ts'

/** Codec 1: RFC 1952. */
export const gzip: Codec = {
  compress: (bytes) => gzipSync(bytes),
  decompress: (packed, limitBytes) =>
    withLimit(limitBytes, () => gunzipSync(packed, { maxOutputLength: limitBytes, chunkSize: OUTPUT_CHUNK_BYTES }))
}
