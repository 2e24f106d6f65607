import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AvroCodec } from './avro/avro-codec.ts'
import { FRAME_BYTES, framedSchemaId, frameHeader } from './wire-format.ts'

const id = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const payload = fc.uint8Array({ maxLength: 40 })

describe("Confluent's wire format", () => {
  it('gives back every id, wherever in a buffer it stands', () => {
    fc.assert(
      fc.property(id, payload, payload, (schemaId, before, body) => {
        const bytes = Buffer.concat([before, frameHeader(schemaId), body])
        expect(framedSchemaId(bytes, before.length, bytes.length)).toBe(schemaId)
      })
    )
  })

  it('takes nothing else for it', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        const buffer = Buffer.from(bytes)
        if (buffer.length >= FRAME_BYTES && buffer[0] === 0) {
          expect(framedSchemaId(buffer, 0, buffer.length)).toBe(buffer.readUInt32BE(1))
        } else expect(() => framedSchemaId(buffer, 0, buffer.length)).toThrow(/wire format/)
      })
    )
  })
})

const everything = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'int', type: 'int' },
    { name: 'long', type: 'long' },
    { name: 'double', type: 'double' },
    { name: 'boolean', type: 'boolean' },
    { name: 'string', type: 'string' },
    { name: 'bytes', type: 'bytes' },
    { name: 'enum', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'] } },
    { name: 'fixed', type: { type: 'fixed', name: 'F', size: 3 } },
    { name: 'list', type: { type: 'array', items: ['null', 'string'] } },
    { name: 'map', type: { type: 'map', values: 'long' } }
  ]
}
const exactLong = fc.integer({ min: -(2 ** 52), max: 2 ** 52 })
const bytes = (constraints: fc.IntArrayConstraints) => fc.uint8Array(constraints).map((array) => Buffer.from(array))
const value = fc.record({
  int: fc.integer(),
  long: exactLong,
  double: fc.double({ noNaN: true }),
  boolean: fc.boolean(),
  string: fc.string({ unit: 'grapheme' }),
  bytes: bytes({ maxLength: 2000 }),
  enum: fc.constantFrom('X', 'Y'),
  fixed: bytes({ minLength: 3, maxLength: 3 }),
  list: fc.array(fc.option(fc.string())),
  map: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), exactLong)
})
const codecOf = (schema: unknown) =>
  new AvroCodec({ text: { schemaType: 'AVRO', schema: JSON.stringify(schema), references: [] }, resolved: [] })

describe('Avro values', () => {
  it('come back as they were, from within a buffer that goes on', () => {
    const codec = codecOf(everything)
    const decode = codec.decoderFor(codec)
    fc.assert(
      fc.property(value, id, (written, schemaId) => {
        const encoded = codec.encode(frameHeader(schemaId), written)
        expect(framedSchemaId(encoded, 0, encoded.length)).toBe(schemaId)
        const within = Buffer.concat([encoded, Buffer.alloc(100, 7)])
        const read = decode(within, FRAME_BYTES, encoded.length)
        within.fill(0)
        expect(JSON.stringify(read)).toBe(JSON.stringify(written))
      })
    )
  })

  it('that are torn or damaged are an error or a value, never a hang or a crash', () => {
    const codec = codecOf(everything)
    const decode = codec.decoderFor(codec)
    fc.assert(
      fc.property(value, fc.nat(), (written, cut) => {
        const encoded = codec.encode(Buffer.alloc(0), written)
        const end = cut % encoded.length
        expect(() => decode(encoded.subarray(0, end), 0, end)).toThrow(
          expect.objectContaining({ code: 'STREAMS_SERDE' })
        )
      })
    )
  })

  it.each([
    ['an array', { type: 'array', items: 'int' }],
    ['an array of nothing', { type: 'array', items: 'null' }],
    ['a map', { type: 'map', values: 'int' }],
    ['an array of arrays', { type: 'array', items: { type: 'array', items: 'null' } }]
  ])('stop where their bytes do: %s that claims far too many items', (_what, schema) => {
    const reader = codecOf(schema)
    const writer = codecOf({ ...schema, doc: 'another' })
    for (const count of [2 ** 29, 2 ** 31, 2 ** 40, -(2 ** 40)]) {
      const bytes = Buffer.concat([codecOf('long').encode(Buffer.alloc(0), count), Buffer.of(2, 2, 2)])
      for (const decode of [reader.decoderFor(reader), reader.decoderFor(writer)]) {
        expect(() => decode(bytes, 0, bytes.length)).toThrow(expect.objectContaining({ code: 'STREAMS_SERDE' }))
      }
    }
  })
})
