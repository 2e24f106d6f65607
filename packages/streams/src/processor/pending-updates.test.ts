import { describe, expect, it } from 'vitest'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { PendingUpdates } from './pending-updates.ts'

const shown = (pending: PendingUpdates) =>
  pending.take().map(({ key, windowStartMs, oldValue }) => [key, windowStartMs, oldValue])

describe('pending updates', () => {
  it('keep the order in which keys first changed, and the value before that', () => {
    const pending = new PendingUpdates(string())
    pending.note('b', 0, 1)
    pending.note('a', 60, undefined)
    pending.note('b', 0, 2)
    pending.note('b', 60, 7)
    expect(shown(pending)).toEqual([
      ['b', 0, 1],
      ['a', 60, undefined],
      ['b', 60, 7]
    ])
    expect(shown(pending)).toEqual([])
  })

  it('know equal keys by their bytes where a serde has no identity', () => {
    const pending = new PendingUpdates(json())
    pending.note({ id: 1 }, 0, 'first')
    pending.note({ id: 1 }, 0, 'second')
    expect(shown(pending)).toEqual([[{ id: 1 }, 0, 'first']])
  })

  it('forget what came since the mark, and only that', () => {
    const pending = new PendingUpdates(string())
    pending.note('a', 0, 1)
    pending.mark()
    pending.note('a', 0, 2)
    pending.note('b', 0, 3)
    pending.rollback()
    pending.note('b', 0, 4)
    expect(shown(pending)).toEqual([
      ['a', 0, 1],
      ['b', 0, 4]
    ])
  })
})
