import { expectLength, SerdeError } from './serde-error.ts'
import { fixedSortable, type SortableSerde } from './sortable.ts'

const byte: SortableSerde<boolean> = Object.freeze({
  name: 'boolean',
  encode: (value: boolean) => Buffer.of(value ? 1 : 0),
  decode(bytes: Buffer, start: number, end: number): boolean {
    expectLength('boolean', end - start, 1)
    return read(bytes, start)
  },
  identity: (value: boolean) => value,
  sortable: fixedSortable<boolean>(
    1,
    (bytes, value) => {
      bytes[0] = value ? 1 : 0
    },
    read
  )
})

/** One byte, 0 or 1: Kafka's BooleanSerializer. False sorts before true. */
export function boolean(): SortableSerde<boolean> {
  return byte
}

function read(bytes: Buffer, at: number): boolean {
  const value = bytes[at]
  if (value === 0 || value === 1) return value === 1
  throw new SerdeError({ serde: 'boolean', operation: 'decode', problem: `the byte is ${value}, neither 0 nor 1` })
}
