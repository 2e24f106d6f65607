import { describe, expect, it } from 'vitest'
import { toCsv } from './results.ts'

describe('toCsv', () => {
  it('quotes as RFC 4180 has it, and keeps the bytes of a page', () => {
    const windowStartMs = Date.UTC(1995, 6, 1, 4, 0)
    const csv = toCsv([
      { windowStartMs, page: '/plain', count: 1 },
      { windowStartMs, page: '/a,"b"\n', count: 20 },
      { windowStartMs, page: '/\xe9', count: 3 }
    ])
    expect(csv).toEqual(
      Buffer.from(
        'windowStart,page,count\r\n1995-07-01T04:00:00.000Z,/plain,1\r\n' +
          '1995-07-01T04:00:00.000Z,"/a,""b""\n",20\r\n1995-07-01T04:00:00.000Z,/\xe9,3\r\n',
        'latin1'
      )
    )
  })
})
