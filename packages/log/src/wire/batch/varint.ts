/** Size of the zigzag varint of a 32-bit integer. */
export function varintBytes(value: number): number {
  const folded = (value << 1) ^ (value >> 31)
  if ((folded & ~0x7f) === 0) return 1
  if ((folded & ~0x3fff) === 0) return 2
  if ((folded & ~0x1f_ffff) === 0) return 3
  return (folded & ~0xfff_ffff) === 0 ? 4 : 5
}

/** Writes the zigzag varint of a 32-bit integer and returns the position after it. */
export function writeVarint(buffer: Buffer, value: number, at: number): number {
  let rest = (value << 1) ^ (value >> 31)
  let position = at
  while ((rest & ~0x7f) !== 0) {
    // The store keeps the low eight bits.
    buffer[position++] = rest | 0x80
    rest >>>= 7
  }
  buffer[position++] = rest
  return position
}

/** Writes the zigzag varint of an integer within 2^52 and returns the position after it. */
export function writeVarlong(buffer: Buffer, value: number, at: number): number {
  if (value === (value | 0)) return writeVarint(buffer, value, at)
  let rest = fold(value)
  let position = at
  while (rest > 0x7f) {
    buffer[position++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  buffer[position++] = rest
  return position
}

/** The zigzag of an integer too large for bit operations. */
function fold(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}
