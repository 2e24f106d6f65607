import { describe, expect, it } from 'vitest'
import { isVisible, parseVisibility, widen } from './visibility.ts'

describe('visibility', () => {
  it('sees what had ended, not what ran or had not begun', () => {
    const visibility = parseVisibility('10:20:12,15')
    expect([9, 10, 12, 15, 19, 20, 25].map((xid) => isVisible(xid, visibility))).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
      false
    ])
  })

  it('reads an empty list of running transactions', () => {
    expect(parseVisibility('7:7:')).toMatchObject({ xmin: 7, xmax: 7, running: new Set() })
  })

  it('takes 32 bits for the nearest transaction, over a wraparound too', () => {
    const epoch = 2 ** 32
    expect(widen(5, 10)).toBe(5)
    expect(widen(5, 3 * epoch + 10)).toBe(3 * epoch + 5)
    expect(widen(0xffff_fff0, 3 * epoch + 10)).toBe(3 * epoch - 16)
    expect(widen(3, 3 * epoch - 2)).toBe(3 * epoch + 3)
    const visibility = parseVisibility(`${epoch - 5}:${epoch + 5}:${epoch + 2}`)
    expect([0xffff_fff0, 1, 2, 5].map((xid) => isVisible(xid, visibility))).toEqual([true, true, false, false])
  })
})
