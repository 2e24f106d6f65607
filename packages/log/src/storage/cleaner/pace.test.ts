import { describe, expect, it } from 'vitest'
import { simulatedEnvironment } from '../../testing/simulated-world.ts'
import { Pace } from './pace.ts'

describe('the pace of compaction', () => {
  it('gives everybody else a turn after each slice', async () => {
    const { world, timers, clock } = simulatedEnvironment({ seed: 1 })
    const pace = new Pace({ timers, clock, maxBytesPerSecond: Number.MAX_VALUE })
    const order: string[] = []
    timers.soon(() => order.push('somebody else'))
    const rested = pace.rest(1_000_000).then(() => order.push('compaction'))
    await world.run(rested)
    expect(order).toEqual(['somebody else', 'compaction'])
    expect(world.nowMs).toBeLessThan(1)
  })

  it('keeps to its rate, and does not catch up on idle time', async () => {
    const { world, timers, clock } = simulatedEnvironment({ seed: 1 })
    const pace = new Pace({ timers, clock, maxBytesPerSecond: 1_000 })
    for (let slice = 0; slice < 5; slice++) await world.run(pace.rest(100))
    expect(world.nowMs).toBeCloseTo(500, 0)
    await world.runFor(10_000)
    const idleUntilMs = world.nowMs
    for (let slice = 0; slice < 6; slice++) await world.run(pace.rest(100))
    expect(world.nowMs - idleUntilMs).toBeGreaterThanOrEqual(499)
  })
})
