import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecodeError } from '../codec.ts'
import { type Compression, compress, compressionId, compressionOf, decompress } from './compression.ts'

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const text = Buffer.from('hello hello hello hello')

/** Packed bytes written out by hand from each format's specification. */
const known: readonly { codec: Compression; what: string; packed: string; bytes: Buffer }[] = [
  // A stored deflate block.
  {
    codec: 'gzip',
    what: 'a stored block',
    packed: `1f8b0800000000000003${'01'}0300fcff${'616263'}c2412435${'03000000'}`,
    bytes: Buffer.from('abc')
  },
  // 23 bytes; literal of 6; copies of 6 bytes back.
  { codec: 'snappy', what: 'a raw block', packed: `17${'14'}${'68656c6c6f20'}${'42'}0600`, bytes: text },
  {
    codec: 'snappy',
    what: 'two blocks in xerial’s framing',
    packed: `82534e415050590000000001${'00000001'}${'00000005'}0308616263${'00000004'}02046465`,
    bytes: Buffer.from('abcde')
  },
  // Version 1, independent blocks of up to 64 KiB, no checksums; one stored block.
  {
    codec: 'lz4',
    what: 'a stored block',
    packed: `04224d18${'60'}40${'82'}${'03000080'}616263${'00000000'}`,
    bytes: Buffer.from('abc')
  },
  // A raw block in a single-segment frame of 3 bytes.
  { codec: 'zstd', what: 'a raw block', packed: `28b52ffd${'20'}03${'190000'}616263`, bytes: Buffer.from('abc') }
]

describe('compression', () => {
  it('has Kafka’s numbers', () => {
    expect((['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map(compressionId)).toEqual([0, 1, 2, 3, 4])
    expect([0, 1, 2, 3, 4, 5, 7, 0x32].map(compressionOf)).toEqual([
      'none',
      'gzip',
      'snappy',
      'lz4',
      'zstd',
      undefined,
      undefined,
      'snappy'
    ])
  })

  it.each(known)('$codec reads $what that another implementation wrote', ({ codec, packed, bytes }) => {
    expect(decompress(codec, Buffer.from(packed, 'hex'))).toEqual(bytes)
  })

  it('of lz4 has independent blocks, as Kafka’s Java client requires', () => {
    const packed = compress('lz4', Buffer.alloc(300_000, 'abcdefg'))
    expect(packed.readUInt32LE(0)).toBe(0x184d_2204)
    expect(packed[4] & 0xe0).toBe(0x60)
  })

  it('of snappy has xerial’s framing', () => {
    expect(compress('snappy', text).toString('hex', 0, 16)).toBe('82534e41505059000000000100000001')
  })

  describe.each(codecs)('%s', (codec) => {
    it('gives back what it packed', () => {
      const anyBytes = fc.oneof(
        fc.uint8Array({ maxLength: 500 }),
        fc
          .tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.integer({ min: 1000, max: 200_000 }))
          .map(([pattern, length]) => Buffer.alloc(length, pattern))
      )
      fc.assert(
        fc.property(anyBytes, (bytes) => {
          const plain = Buffer.from(bytes)
          expect(decompress(codec, compress(codec, plain)).equals(plain)).toBe(true)
        }),
        { numRuns: 40 }
      )
    })

    it('stops at the limit', () => {
      const packed = compress(codec, Buffer.alloc(3_000_000))
      expect(decompress(codec, packed, 3_000_000)).toHaveLength(3_000_000)
      expect(() => decompress(codec, packed, 2_999_999)).toThrow(
        expect.objectContaining({ code: 'MILLRACE_DECOMPRESSION_LIMIT', limitBytes: 2_999_999 })
      )
    })

    it('answers damaged bytes with bytes or a typed error', () => {
      const sound = compress(codec, Buffer.concat([text, Buffer.alloc(5000, 'some words over and over ')]))
      fc.assert(
        fc.property(fc.nat(sound.length - 1), fc.nat(255), fc.nat(10), (at, byte, cut) => {
          const damaged = Buffer.from(sound.subarray(0, sound.length - cut))
          damaged[at % damaged.length] = byte
          try {
            expect(Buffer.isBuffer(decompress(codec, damaged, 100_000))).toBe(true)
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^MILLRACE_DE/) })
          }
        }),
        { numRuns: 200 }
      )
      expect(() => decompress(codec, Buffer.from('no such format'))).toThrow(DecodeError)
      expect(() => decompress(codec, Buffer.alloc(0))).toThrow(DecodeError)
    })
  })
})
