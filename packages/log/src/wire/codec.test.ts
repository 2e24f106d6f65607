import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultOf } from './codec/defaults.ts'
import { DecodeError, decodeStruct, EncodeError, encodeStruct, withDefaults } from './codec.ts'
import { apis, fetch, produce } from './messages/index.ts'
import {
  array,
  boolean,
  bytes,
  type Field,
  type FieldType,
  float64,
  int8,
  int16,
  int32,
  int64,
  nullableStruct,
  records,
  type Struct,
  string,
  struct,
  structField,
  uint16,
  uint32,
  uuid,
  ZERO_UUID
} from './schema.ts'
import { inVersions } from './versions.ts'

interface Form {
  readonly version: number
  readonly flexible: boolean
}

const anyBytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array))

/** Any value that one version of a struct can carry; fields that it lacks have their default. */
function anyStruct(type: Struct, form: Form): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(type.fields).map(([name, field]) => [name, anyField(field, form)] as const)
  return fc.record(Object.fromEntries(fields))
}

function anyField(field: Field, form: Form): fc.Arbitrary<unknown> {
  if (!inVersions(field.versions, form.version) || (field.tag !== undefined && !form.flexible)) {
    return fc.constant(defaultOf(field))
  }
  const value = anyType(field.type, form)
  return inVersions(field.nullable, form.version) ? fc.option(value) : value
}

function anyType(type: FieldType, form: Form): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.maxSafeInteger()
    case 'uint16':
      return fc.nat(0xffff)
    case 'uint32':
      return fc.nat(0xffff_ffff)
    case 'float64':
      return fc.double({ noNaN: true })
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('base64url'))
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 10 })
    case 'bytes':
      return anyBytes
    case 'records':
      return anyBytes.map((chunk) => (chunk.length === 0 ? [] : [chunk]))
    case 'array':
      return fc.array(anyType(type.element, form), { maxLength: 3 })
    case 'struct':
      return anyStruct(type, form)
  }
}

const everything = struct({
  flag: boolean('0+'),
  small: int8('0+'),
  medium: int16('1+', { default: -7 }),
  large: int64('0+'),
  port: uint16('0+'),
  count: uint32('0-1'),
  ratio: float64('0+'),
  id: uuid('0+'),
  name: string('0+', { nullable: '1+' }),
  payload: bytes('0+', { nullable: '0+', default: null }),
  batches: records('0+', { nullable: '2+' }),
  numbers: array('0+', int32(), { nullable: '0+' }),
  names: array('0+', string()),
  cursor: nullableStruct('1+', struct({ topic: string('0+'), partition: int32('0+') })),
  place: structField('0+', struct({ topic: string('0+'), rack: string('2+', { default: 'r0' }) })),
  late: structField('2+', struct({ epoch: int32('2+', { default: -1 }) }), { tag: 3 }),
  early: string('2+', { nullable: '2+', default: null, tag: 1 }),
  list: array('2+', struct({ node: int32('2+') }), { tag: 0 })
})

describe('the codec', () => {
  const forms = apis.flatMap((api) =>
    Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => {
      const version = api.minVersion + i
      return { title: `${api.name} v${version}`, api, form: { version, flexible: version >= api.flexibleFrom } }
    })
  )

  it.each(forms)('gives back every request and response of $title', ({ api, form }) => {
    for (const message of [api.request, api.response]) {
      fc.assert(
        fc.property(anyStruct(message, form), (value) => {
          const encoded = encodeStruct(message, form.version, form.flexible, value)
          expect(decodeStruct(message, form.version, form.flexible, encoded)).toEqual(value)
        }),
        { numRuns: 12 }
      )
    }
  })

  it('gives back every value of every type', () => {
    for (const version of [0, 1, 2]) {
      for (const flexible of [false, true]) {
        fc.assert(
          fc.property(anyStruct(everything, { version, flexible }), (value) => {
            const encoded = encodeStruct(everything, version, flexible, value as never)
            expect(decodeStruct(everything, version, flexible, encoded)).toEqual(value)
          })
        )
      }
    }
  })

  it('answers any bytes with a value or a DecodeError', () => {
    const anyForm = fc.constantFrom(...forms)
    const any = anyForm.chain(({ api, form }) =>
      fc.tuple(fc.constant({ api, form }), anyStruct(api.response, form), fc.nat(), fc.nat(255), fc.nat({ max: 20 }))
    )
    fc.assert(
      fc.property(any, ([{ api, form }, value, at, byte, cut]) => {
        const damaged = encodeStruct(api.response, form.version, form.flexible, value)
        if (damaged.length > 0) damaged[at % damaged.length] = byte
        for (const bytes of [damaged, damaged.subarray(0, Math.max(0, damaged.length - cut))]) {
          try {
            decodeStruct(api.response, form.version, form.flexible, bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError)
          }
        }
      }),
      { numRuns: 1500 }
    )
    fc.assert(
      fc.property(anyForm, fc.uint8Array({ maxLength: 100 }), ({ api, form }, bytes) => {
        try {
          decodeStruct(api.request, form.version, form.flexible, Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
      { numRuns: 1500 }
    )
  })
})

describe('what a length field claims', () => {
  const list = struct({ numbers: array('0+', int32()), name: string('0+') })

  it('is not allocated when the bytes are not there', () => {
    const claims = Buffer.alloc(20)
    claims.writeInt32BE(0x7fff_ffff)
    expect(() => decodeStruct(list, 0, false, claims)).toThrow(/numbers at byte 4: 2147483647 elements are claimed/)
    const compact = Buffer.from('ffffffff0f', 'hex')
    expect(() => decodeStruct(list, 0, true, compact)).toThrow(DecodeError)
    expect(() => decodeStruct(list, 0, true, Buffer.from('ffffffffff01', 'hex'))).toThrow(/more than 32 bits/)
  })

  it('may not be null, or below, where null is not legal', () => {
    expect(() => decodeStruct(list, 0, true, Buffer.from('000100', 'hex'))).toThrow(/numbers.*null/)
    expect(() => decodeStruct(list, 0, false, Buffer.from('fffffffe0000', 'hex'))).toThrow(/a length is -2/)
  })
})

describe('an error', () => {
  it('names the field and the position', () => {
    const request = withDefaults(produce.request, {
      topicData: [{ name: 'a' }, { name: 'b', partitionData: [{ index: 3, records: [Buffer.alloc(9)] }] }]
    })
    const encoded = encodeStruct(produce.request, 3, false, request)
    const caught = catchError(() => decodeStruct(produce.request, 3, false, encoded.subarray(0, -2)))
    expect(caught).toMatchObject({
      code: 'MILLRACE_DECODE',
      path: 'topicData[1].partitionData[0].records',
      position: encoded.length - 9
    })
  })

  it('refuses values that the field cannot hold, by name', () => {
    const request = withDefaults(produce.request, { topicData: [{ name: 'a', partitionData: [{ index: 2 ** 31 }] }] })
    expect(catchError(() => encodeStruct(produce.request, 9, true, request))).toMatchObject({
      code: 'MILLRACE_ENCODE',
      path: 'topicData[0].partitionData[0].index'
    })
    for (const [name, wrong] of [
      ['large', 2 ** 53],
      ['large', 0.5],
      ['id', 'short'],
      ['name', null],
      ['flag', 1],
      ['numbers', 'x'],
      ['place', undefined],
      ['small', undefined]
    ] as const) {
      const value = { ...withDefaults(everything, { id: ZERO_UUID }), [name]: wrong }
      expect(catchError(() => encodeStruct(everything, 0, false, value as never))).toMatchObject({ path: name })
      expect(() => encodeStruct(everything, 0, false, value as never)).toThrow(EncodeError)
    }
  })

  it('refuses a 64-bit integer beyond 2^53', () => {
    const wide = struct({ at: int64('0+') })
    expect(() => decodeStruct(wide, 0, false, Buffer.from('0020000000000000', 'hex'))).toThrow(/2\^53/)
    expect(decodeStruct(wide, 0, false, Buffer.from('001fffffffffffff', 'hex'))).toEqual({ at: 2 ** 53 - 1 })
    expect(decodeStruct(wide, 0, false, Buffer.from('ffffffffffffffff', 'hex'))).toEqual({ at: -1 })
  })

  it('refuses bytes after the last field', () => {
    expect(() => decodeStruct(struct({ a: int8() }), 0, false, Buffer.from([1, 2]))).toThrow(/1 bytes follow/)
  })
})

describe('tagged fields', () => {
  const tagged = struct({
    z: int32('1+', { tag: 2 }),
    a: string('1+', { tag: 0, nullable: '1+', default: null }),
    at: structField('1+', struct({ epoch: int32('1+', { default: -1 }) }), { tag: 1 })
  })

  it('are written in ascending order, and only what differs from the default', () => {
    expect(encodeStruct(tagged, 1, true, { z: 5, a: 'x', at: { epoch: 7 } }).toString('hex')).toBe(
      '03' + '00' + '02' + '0278' + '01' + '05' + '0000000700' + '02' + '04' + '00000005'
    )
    expect(encodeStruct(tagged, 1, true, { z: 0, a: null, at: { epoch: -1 } }).toString('hex')).toBe('00')
    expect(encodeStruct(tagged, 1, false, { z: 5, a: 'x', at: { epoch: 7 } })).toHaveLength(0)
  })

  it('that are unknown are skipped', () => {
    const newer = Buffer.from('02' + '02' + '04' + '00000005' + '8101' + '03' + 'aabbcc', 'hex')
    expect(decodeStruct(tagged, 1, true, newer)).toEqual({ z: 5, a: null, at: { epoch: -1 } })
  })

  it('have exactly the size that they claim', () => {
    expect(() => decodeStruct(tagged, 1, true, Buffer.from('01020500000005ff', 'hex'))).toThrow(/z .*1 bytes follow/)
    expect(() => decodeStruct(tagged, 1, true, Buffer.from('0102030000000500', 'hex'))).toThrow(DecodeError)
  })

  it('do not share a default object', () => {
    const first = decodeStruct(tagged, 1, true, Buffer.from([0]))
    first.at.epoch = 9
    expect(decodeStruct(tagged, 1, true, Buffer.from([0])).at.epoch).toBe(-1)
  })
})

describe('record batches in a message', () => {
  it('are handed on by reference and read as one view', () => {
    const partitions = [{ records: [Buffer.from('ab'), Buffer.from('cde')] }]
    const response = withDefaults(fetch.response, { responses: [{ topic: 't', partitions }] })
    const encoded = encodeStruct(fetch.response, 11, false, response)
    const [chunk] = decodeStruct(fetch.response, 11, false, encoded).responses[0].partitions[0].records ?? []
    expect(chunk.toString()).toBe('abcde')
    expect(chunk.buffer).toBe(encoded.buffer)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
