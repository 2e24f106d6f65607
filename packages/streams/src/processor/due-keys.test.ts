import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { string } from '../serde/string.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import { DueKeys } from './due-keys.ts'

type Waiting = readonly [placeMs: number, key: string]

function sorted(waiting: readonly Waiting[]): Waiting[] {
  const once = new Map(waiting.map((one) => [JSON.stringify(one), one]))
  return [...once.values()].sort(([at, key], [otherAt, other]) => at - otherAt || (key < other ? -1 : 1))
}

async function* pagesOf(waiting: readonly Waiting[]): AsyncGenerator<readonly WindowEntry[]> {
  for (const [windowStartMs, key] of sorted(waiting)) {
    yield [{ key, windowStartMs, value: { value: true, timestamp: windowStartMs } }]
  }
}

const waitings = fc.array(fc.tuple(fc.nat(30), fc.constantFrom('a', 'ab', 'b', 'c')), { maxLength: 40 })

describe('keys that are due', () => {
  it('come by time and then by their bytes, each once, and are all there before the horizon', async () => {
    await fc.assert(
      fc.asyncProperty(waitings, waitings, fc.nat(30), async (there, added, toMs) => {
        const due = new DueKeys(string(), 8)
        await due.load(pagesOf(there))
        for (const [placeMs, key] of added) due.add(placeMs, key)
        const untilMs = Math.min(toMs, due.horizonMs)
        const expected = sorted([...there, ...added]).filter(([placeMs]) => placeMs < untilMs)
        expect(due.take(untilMs).map(({ placeMs, key }) => [placeMs, key])).toEqual(expected)
        expect(due.take(untilMs)).toEqual([])
      })
    )
  })

  it('are not known before the store was read, unless it is empty', () => {
    const due = new DueKeys(string())
    expect(due.horizonMs).toBe(Number.NEGATIVE_INFINITY)
    due.beginEmpty()
    due.add(5, 'a')
    expect(due.take(6)).toEqual([{ placeMs: 5, key: 'a' }])
  })

  it('are not forgotten when they begin to wait while the store is read', async () => {
    const due = new DueKeys(string())
    const loading = due.load(pagesOf([[3, 'a']]))
    due.add(4, 'b')
    expect(due.horizonMs).toBe(Number.NEGATIVE_INFINITY)
    await loading
    expect(due.take(10).map(({ key }) => key)).toEqual(['a', 'b'])
  })

  it('give up the latest times when there are too many', () => {
    const due = new DueKeys(string(), 4)
    due.beginEmpty()
    for (const placeMs of [5, 4, 3, 2, 1]) due.add(placeMs, 'a')
    expect(due.horizonMs).toBe(3)
    due.add(9, 'a')
    expect(due.take(due.horizonMs).map(({ placeMs }) => placeMs)).toEqual([1, 2])
  })
})
