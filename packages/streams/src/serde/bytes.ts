import { wrongType } from './serde-error.ts'
import { type SortableSerde, sortableBytes } from './sortable.ts'

const raw: SortableSerde<Buffer> = Object.freeze({
  name: 'bytes',
  encode(value: Buffer): Buffer {
    if (!Buffer.isBuffer(value)) throw wrongType('bytes', value, 'Buffer')
    return value
  },
  decode(bytes: Buffer, start: number, end: number): Buffer {
    const copy = Buffer.allocUnsafe(end - start)
    bytes.copy(copy, 0, start, end)
    return copy
  },
  identity: (value: Buffer) => value.toString('latin1'),
  sortable: sortableBytes
})

/** Bytes as they are. Writing gives the buffer away: do not change it afterwards. Reading copies. */
export function bytes(): SortableSerde<Buffer> {
  return raw
}
