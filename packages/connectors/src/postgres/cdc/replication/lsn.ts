/** A position in the write-ahead log as a number: exact below 2^53, which is 8 PiB of log. */
export type Lsn = number

/** `16/B374D848` as PostgreSQL writes it. */
export function parseLsn(text: string): Lsn {
  const [high, low] = text.split('/')
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}

/** As PostgreSQL writes it. */
export function formatLsn(lsn: Lsn): string {
  return `${Math.floor(lsn / 2 ** 32)
    .toString(16)
    .toUpperCase()}/${(lsn % 2 ** 32).toString(16).toUpperCase()}`
}

/** Reads the eight bytes of a position. */
export function readLsn(bytes: Buffer, at: number): Lsn {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

/** Writes the eight bytes of a position. */
export function writeLsn(bytes: Buffer, lsn: Lsn, at: number): void {
  bytes.writeUInt32BE(Math.floor(lsn / 2 ** 32), at)
  bytes.writeUInt32BE(lsn % 2 ** 32, at + 4)
}
