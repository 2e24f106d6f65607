import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** Below this size the call into native code costs more than computing here. */
const NATIVE_FROM_BYTES = 256
/** The Castagnoli polynomial, bit-reversed. */
const POLYNOMIAL = 0x82f6_3b78

/** Eight tables of 256 remainders: table k is the effect of a byte that k more bytes follow. */
const tables = buildTables()
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables

/**
 * CRC-32C (Castagnoli) of `buffer` from `start` up to `end`, unsigned: the checksum of record batches.
 * Small ranges are computed eight bytes at a time by tables, larger ones by the processor's instruction.
 */
export function crc32c(buffer: Uint8Array, start = 0, end: number = buffer.length): number {
  if (end - start < NATIVE_FROM_BYTES) return tableCrc32c(buffer, start, end)
  return nativeCrc32c(buffer.subarray(start, end))
}

/** CRC-32C of bytes whose first part has the checksum `previous` and whose rest is `buffer` from `start` up to `end`. */
export function extendCrc32c(previous: number, buffer: Uint8Array, start = 0, end: number = buffer.length): number {
  if (end - start < NATIVE_FROM_BYTES) return tableCrc32c(buffer, start, end, previous)
  return nativeCrc32c(buffer.subarray(start, end), previous)
}

/** The same by tables alone. */
export function tableCrc32c(buffer: Uint8Array, start: number, end: number, previous = 0): number {
  let crc = ~previous
  let i = start
  for (; i + 8 <= end; i += 8) {
    crc ^= buffer[i] | (buffer[i + 1] << 8) | (buffer[i + 2] << 16) | (buffer[i + 3] << 24)
    crc =
      t7[crc & 0xff] ^
      t6[(crc >>> 8) & 0xff] ^
      t5[(crc >>> 16) & 0xff] ^
      t4[crc >>> 24] ^
      t3[buffer[i + 4]] ^
      t2[buffer[i + 5]] ^
      t1[buffer[i + 6]] ^
      t0[buffer[i + 7]]
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t0[(crc ^ buffer[i]) & 0xff]
  return ~crc >>> 0
}

function buildTables(): readonly Int32Array[] {
  const built = Array.from({ length: 8 }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1
    built[0][byte] = remainder
  }
  for (let k = 1; k < 8; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const previous = built[k - 1][byte]
      built[k][byte] = (previous >>> 8) ^ built[0][previous & 0xff]
    }
  }
  return built
}
