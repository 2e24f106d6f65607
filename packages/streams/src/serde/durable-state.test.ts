import fc from 'fast-check'
import { expect, it } from 'vitest'
import { durableEntrySerde } from './durable-state.ts'
import { SerdeError } from './serde-error.ts'
import { string } from './string.ts'

const serde = durableEntrySerde(string(), string())
const texts = fc.string({ unit: 'grapheme' })
const times = fc.nat(Number.MAX_SAFE_INTEGER)
const optional = { requiredKeys: [] }
const entries = fc.record(
  {
    state: fc.record(
      {
        numbers: fc.array(fc.double({ noNaN: true })),
        values: fc.array(fc.option(fc.option(texts, { nil: null }), { nil: undefined })),
        dueMs: times
      },
      { requiredKeys: ['numbers', 'values'] }
    ),
    timer: fc.record({ atMs: times, next: texts }, { requiredKeys: ['atMs'] })
  },
  optional
)

it('reads entries back from within a larger buffer', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = serde.encode(entry)
      const padded = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
      expect(serde.decode(padded, 6, 6 + bytes.length)).toEqual(entry)
    })
  )
})

it('refuses bytes that end within an entry', () => {
  const bytes = serde.encode({
    state: { numbers: [1, 2], values: ['a', 'b'], dueMs: 3 },
    timer: { atMs: 3, next: 'k' }
  })
  // A value may end where another would begin.
  const whole = [bytes.length - 5, bytes.length - 10]
  for (let end = 0; end < bytes.length; end++) {
    if (whole.includes(end)) continue
    expect(() => serde.decode(bytes, 0, end), `to ${end}`).toThrow(SerdeError)
  }
})
