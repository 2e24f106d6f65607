import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyMap } from './key-map.ts'

const key = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))

function put(map: KeyMap, bytes: Buffer, offset: number, force = false): boolean {
  // The key lies somewhere within a larger buffer.
  const source = Buffer.concat([Buffer.from('ab'), bytes, Buffer.from('c')])
  return map.put(source, { start: 2, end: 2 + bytes.length, offset }, force)
}

describe('the map of keys', () => {
  it('says what a plain map says', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 300 }), fc.array(key), (written, others) => {
        const map = new KeyMap(1_000_000)
        const plain = new Map<string, number>()
        written.forEach((bytes, offset) => {
          expect(put(map, bytes, offset)).toBe(true)
          plain.set(bytes.toString('latin1'), offset)
        })
        expect(map.size).toBe(plain.size)
        for (const bytes of [...written, ...others]) {
          expect(map.get(bytes, 0, bytes.length)).toBe(plain.get(bytes.toString('latin1')) ?? -1)
        }
      })
    )
  })

  it('stays within its budget, takes keys it knows when full, and what it must', () => {
    fc.assert(
      fc.property(fc.integer({ min: 800, max: 20_000 }), fc.integer({ min: 1, max: 50 }), (maxBytes, keyBytes) => {
        const map = new KeyMap(maxBytes)
        const keyOf = (i: number) => Buffer.from(String(i).padStart(keyBytes, 'x'))
        let count = 0
        while (put(map, keyOf(count), count)) count += 1
        expect(map.allocatedBytes).toBeLessThanOrEqual(maxBytes)
        expect(count).toBeGreaterThan(0)
        expect(put(map, keyOf(0), 1_000)).toBe(true)
        expect(map.get(keyOf(0), 0, keyOf(0).length)).toBe(1_000)
        expect(map.get(keyOf(count), 0, keyOf(count).length)).toBe(-1)
        expect(put(map, keyOf(count), count, true)).toBe(true)
        expect(map.get(keyOf(count), 0, keyOf(count).length)).toBe(count)
      })
    )
  })

  it('holds 2 million keys of 16 bytes in 128 MiB', () => {
    const map = new KeyMap(128 * 1024 * 1024)
    const bytes = Buffer.alloc(16)
    let taken = 0
    for (let i = 0; i < 2_000_000; i++) {
      bytes.writeUInt32LE(i, 3)
      if (map.put(bytes, { start: 0, end: 16, offset: i })) taken += 1
    }
    expect(taken).toBe(2_000_000)
    bytes.writeUInt32LE(1_234_567, 3)
    expect(map.get(bytes, 0, 16)).toBe(1_234_567)
  })
})
