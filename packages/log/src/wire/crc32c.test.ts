import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c, extendCrc32c, tableCrc32c } from './crc32c.ts'

describe('crc32c', () => {
  it('has the check values of RFC 3720 appendix B.4', () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a91_36aa)
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8_ab43)
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd_794e)
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283)
    expect(crc32c(Buffer.alloc(0))).toBe(0)
  })

  it('computes the same by tables and by native code, at any size and alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(20), fc.nat(20), (bytes, before, after) => {
        const start = Math.min(before, bytes.length)
        const end = Math.max(start, bytes.length - after)
        expect(crc32c(bytes, start, end)).toBe(tableCrc32c(bytes, start, end))
      })
    )
  })

  it('goes on from the checksum of what came before', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1000 }),
        fc.uint8Array({ maxLength: 1000 }),
        fc.nat(9),
        (first, rest, before) => {
          const start = Math.min(before, rest.length)
          const whole = Buffer.concat([first, rest.subarray(start)])
          expect(extendCrc32c(crc32c(first), rest, start)).toBe(crc32c(whole))
        }
      )
    )
  })
})
