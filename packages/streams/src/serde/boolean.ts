import { expectLength, SerdeError, wrongType } from './serde-error.ts'
import { fixedSortable, type SortableSerde } from './sortable.ts'

const byte: SortableSerde<boolean> = Object.freeze({
  name: 'boolean',
  encode: (value: boolean) => Buffer.of(bitOf(value)),
  decode(bytes: Buffer, start: number, end: number): boolean {
    expectLength('boolean', end - start, 1)
    return read(bytes, start)
  },
  identity: (value: boolean) => value,
  sortable: fixedSortable<boolean>(
    1,
    (bytes, value) => {
      bytes[0] = bitOf(value)
    },
    read
  )
})

/** One byte, 0 or 1: Kafka's BooleanSerializer. False sorts before true. */
export function boolean(): SortableSerde<boolean> {
  return byte
}

function bitOf(value: boolean): 0 | 1 {
  if (typeof value !== 'boolean') throw wrongType('boolean', value, 'boolean')
  return value ? 1 : 0
}

function read(bytes: Buffer, at: number): boolean {
  const value = bytes[at]
  if (value === 0 || value === 1) return value === 1
  throw new SerdeError({ serde: 'boolean', operation: 'decode', problem: `the byte is ${value}, neither 0 nor 1` })
}
