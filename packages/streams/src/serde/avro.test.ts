import { describe, expect, it } from 'vitest'
import { avro } from './avro.ts'
import { avroType } from './avro-types.ts'

describe('avro', () => {
  it('writes longs that are exact, and refuses others, which avsc would change', () => {
    const serde = avro<number>('long')
    for (const long of [0, -1, 2 ** 52, -(2 ** 52), 1 - 2 ** 52]) {
      const bytes = serde.encode(long)
      expect(serde.decode(bytes, 0, bytes.length)).toBe(long)
    }
    // avsc alone reads this one back as 6992846708015104.
    expect(() => serde.encode(-6992846708015104)).toThrow(/is no long/)
    const exact = avroType('long', 'bigint').toBuffer(-6992846708015104n)
    expect(() => serde.decode(exact, 0, exact.length)).toThrow(/2\^52/)
  })

  it('stops at the end of bytes that claim more items than there are', () => {
    const serde = avro<number[]>({ type: 'array', items: 'int' })
    const count = avroType('long').toBuffer(2 ** 40)
    expect(() => serde.decode(count, 0, count.length)).toThrow(/claims 1099511627776 items/)
  })
})
