import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hash128 } from '../serde/hash128.ts'
import { subscriptionEntries, subscriptionKeys } from '../serde/subscription-store.ts'
import { MemoryEngine } from './memory-engine.ts'
import { type Subscriber, Subscriptions } from './subscriptions.ts'
import { TaskStores } from './task-stores.ts'

const definition = {
  name: 's',
  kind: 'key-value',
  key: subscriptionKeys,
  value: subscriptionEntries,
  named: false
} as const

async function opened() {
  const stores = await TaskStores.open({ definitions: [definition], engine: new MemoryEngine(), cacheEntries: 10 })
  const commit = () => stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
  const entries = async () => {
    await commit()
    let count = 0
    for await (const page of stores.committed('s').all()) count += page.length
    return count
  }
  return { stores, commit, entries, subscriptions: new Subscriptions(stores.keyValue('s')) }
}

const change = fc.record({
  kind: fc.constantFrom('put', 'put', 'remove'),
  foreign: fc.constantFrom('f', 'ff'),
  primary: fc.integer({ min: 0, max: 200 }).map((n) => `k${n}`),
  undone: fc.boolean()
})
const steps = fc.array(fc.oneof({ weight: 6, arbitrary: change }, fc.constant('commit' as const)), {
  minLength: 100,
  maxLength: 600,
  size: 'max'
})

type Model = Record<string, Map<string, Subscriber>>

it('subscriptions answer like a sorted map, over many chunks, whatever is taken back, and leave nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (made) => {
      const { stores, commit, entries, subscriptions } = await opened()
      const model: Model = { f: new Map(), ff: new Map() }
      for (const [i, step] of made.entries()) {
        if (step === 'commit') {
          await commit()
          continue
        }
        stores.mark()
        const { kind, foreign, primary, undone } = step
        const subscriber = { primary, hash: i % 5 === 0 ? null : hash128(Buffer.from(String(i))), partition: i }
        if (kind === 'put') subscriptions.put(foreign, subscriber, i)
        else subscriptions.remove(foreign, primary, i)
        if (undone) stores.rollback()
        else if (kind === 'put') model[foreign].set(primary, subscriber)
        else model[foreign].delete(primary)
      }
      for (const [foreign, members] of Object.entries(model)) {
        const expected = [...members.values()].sort((one, other) => (one.primary < other.primary ? -1 : 1))
        expect(subscriptions.of(foreign)).toEqual(expected)
        for (const primary of members.keys()) subscriptions.remove(foreign, primary, 0)
      }
      expect(await entries()).toBe(0)
    }),
    { numRuns: 25 }
  )
})

it('a list whose subscribers come and go stays as long as three times their number, and keeps those that stay', async () => {
  const { commit, entries, subscriptions } = await opened()
  const subscriber = (primary: string) => ({ primary, hash: null, partition: 0 })
  const staying = Array.from({ length: 100 }, (_, i) => `stays-${i}`)
  for (const primary of staying) subscriptions.put('f', subscriber(primary), 0)
  for (let round = 0; round < 5_000; round++) {
    subscriptions.put('f', subscriber(`goes-${round}`), round)
    subscriptions.remove('f', `goes-${round}`, round)
    if (round % 100 === 0) await commit()
  }
  expect(subscriptions.of('f').map(({ primary }) => primary)).toEqual(staying.toSorted())
  // The members, the list, and its full chunks of 16 keys: a chunk's worth more than two thirds may be there in vain, and one is being tidied.
  expect(await entries()).toBeLessThanOrEqual(100 + 1 + (3 * 100) / 16 + 2)
})
