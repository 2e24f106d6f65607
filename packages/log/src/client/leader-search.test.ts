import { describe, expect, it } from 'vitest'
import { brokerFixture } from '../broker/broker-fixture.ts'
import { InProcessTransport } from '../transport/in-process.ts'
import { Admin } from './admin/admin.ts'
import { createClientContext } from './client-context.ts'
import { LeaderSearch } from './leader-search.ts'

describe('a search for leaders', () => {
  it('has nothing to look for again once what was asked for during a search is known', async () => {
    const fixture = brokerFixture()
    const broker = await fixture.start()
    const { environment } = fixture
    const transport = new InProcessTransport(broker, { timers: environment.timers, clientId: 'test' })
    const context = createClientContext(transport, environment)
    await new Admin(context).ensureTopic({ name: 'clicks', partitions: 2 })
    context.metadata.markStale('clicks')

    const searched = Promise.withResolvers<void>()
    const search = new LeaderSearch(context, { create: false, searched: () => searched.resolve(), refused: () => {} })
    const nowMs = environment.clock.monotonicMs()
    expect(search.find('clicks', 0, nowMs)).toBeUndefined()
    expect(search.find('clicks', 1, nowMs)).toBeUndefined()
    await searched.promise

    const laterMs = environment.clock.monotonicMs()
    expect(search.find('clicks', 0, laterMs)).toBe(1)
    expect(search.find('clicks', 1, laterMs)).toBe(1)
    expect(search.retryAtMs(laterMs)).toBe(Number.POSITIVE_INFINITY)
    await broker.close()
  })
})
