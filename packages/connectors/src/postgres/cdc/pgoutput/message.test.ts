import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplicationProtocolError } from '../errors.ts'
import { MessageReader, NULL_LENGTH, readRelation, UNCHANGED_LENGTH } from './message.ts'

function encodeTuple(columns: readonly (string | null | undefined)[]): Buffer {
  const count = Buffer.alloc(2)
  count.writeUInt16BE(columns.length)
  const parts = columns.map((column) => {
    if (column === null) return Buffer.from('n')
    if (column === undefined) return Buffer.from('u')
    const bytes = Buffer.from(column)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([Buffer.from('t'), length, bytes])
  })
  return Buffer.concat([count, ...parts])
}

describe('MessageReader', () => {
  it('reads back any tuple', () => {
    const column = fc.option(fc.option(fc.string({ unit: 'binary' }), { nil: undefined }), { nil: null })
    fc.assert(
      fc.property(fc.array(column, { maxLength: 40 }), (columns) => {
        const reader = new MessageReader()
        reader.open(Buffer.concat([Buffer.from('I'), encodeTuple(columns)]))
        const { bytes, places } = reader.tuple()
        const read = columns.map((_, index) => {
          const [start, length] = [places[index * 2], places[index * 2 + 1]]
          if (length === NULL_LENGTH) return null
          return length === UNCHANGED_LENGTH ? undefined : bytes.toString('utf8', start, start + length)
        })
        expect(read).toEqual(
          columns.map((value) => (typeof value === 'string' ? Buffer.from(value).toString() : value))
        )
      })
    )
  })

  it('refuses any bytes that are no message, and reads nothing behind them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const reader = new MessageReader()
        for (const read of [() => reader.tuple(), () => readRelation(reader)]) {
          reader.open(Buffer.from(bytes), 0)
          try {
            read()
            expect(reader.at).toBeLessThanOrEqual(bytes.length)
          } catch (error) {
            expect(error).toBeInstanceOf(ReplicationProtocolError)
          }
        }
      })
    )
  })
})
