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

const keys = fc.integer({ min: 0, max: 200 }).map((n) => `k${n}`)
const operations = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('put' as const), foreign: fc.constantFrom('f', 'ff'), key: keys })
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('remove' as const), foreign: fc.constantFrom('f', 'ff'), key: keys })
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('commit' as const) }) }
  ),
  { minLength: 100, maxLength: 400, size: 'max' }
)

it('subscriptions answer like a sorted map, over many chunks, and leave nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (steps) => {
      const stores = await TaskStores.open({ definitions: [definition], engine: new MemoryEngine(), cacheEntries: 10 })
      const commit = () => stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
      const subscriptions = new Subscriptions(stores.keyValue('s'))
      const model: Record<string, Map<string, Subscriber>> = { f: new Map(), ff: new Map() }
      for (const [i, step] of steps.entries()) {
        if (step.do === 'commit') await commit()
        else if (step.do === 'put') {
          const hash = i % 5 === 0 ? null : hash128(Buffer.from(String(i)))
          const subscriber = { primaryKey: Buffer.from(step.key), hash, partition: i }
          subscriptions.put(Buffer.from(step.foreign), subscriber, i)
          model[step.foreign].set(step.key, subscriber)
        } else {
          subscriptions.remove(Buffer.from(step.foreign), Buffer.from(step.key), i)
          model[step.foreign].delete(step.key)
        }
      }
      for (const [foreign, members] of Object.entries(model)) {
        const expected = [...members.values()].sort((a, b) => Buffer.compare(a.primaryKey, b.primaryKey))
        expect(subscriptions.of(Buffer.from(foreign))).toEqual(expected)
        for (const key of members.keys()) subscriptions.remove(Buffer.from(foreign), Buffer.from(key), 0)
      }
      await commit()
      for await (const page of stores.committed('s').all()) expect(page).toEqual([])
    }),
    { numRuns: 25 }
  )
})
