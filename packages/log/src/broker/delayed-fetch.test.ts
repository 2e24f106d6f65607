import { describe, expect, it } from 'vitest'
import type { Partition } from '../partition/partition.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { DelayedFetches } from './delayed-fetch.ts'

/** Of a partition, what a delayed fetch uses. */
function advancing(): { partition: Partition; advance: () => void; listeners: Set<() => void> } {
  const listeners = new Set<() => void>()
  const partition = {
    onAdvance: (advanced: () => void) => {
      listeners.add(advanced)
      return () => listeners.delete(advanced)
    }
  } as unknown as Partition
  const advance = () => {
    for (const listener of listeners) listener()
  }
  return { partition, listeners, advance }
}

function delayed() {
  const world = new SimulatedWorld({ seed: 1 })
  const fetches = new DelayedFetches(world.machine('a').environment.timers)
  return { world, fetches, ...advancing() }
}

describe('a delayed fetch', () => {
  it('looks again once a turn, however often its partition advances', async () => {
    const { world, fetches, partition, advance } = delayed()
    let available = 0
    let attempts = 0
    const answer = fetches.wait({
      attempt: () => {
        attempts++
        return { answer: available, satisfied: available >= 3 }
      },
      partitions: [partition, partition],
      maxWaitMs: 1_000
    })
    advance()
    available = 2
    advance()
    await world.runFor(1)
    expect(attempts).toBe(1)
    available = 3
    advance()
    advance()
    expect(await world.run(answer)).toBe(3)
    expect(attempts).toBe(2)
  })

  it('answers with what there is when its time is up, and listens no more', async () => {
    const { world, fetches, partition, listeners } = delayed()
    const answer = fetches.wait({
      attempt: () => ({ answer: 'little', satisfied: false }),
      partitions: [partition],
      maxWaitMs: 250
    })
    expect([listeners.size, fetches.size]).toEqual([1, 1])
    expect(await world.run(answer)).toBe('little')
    expect(world.nowMs).toBeGreaterThanOrEqual(250)
    expect([listeners.size, fetches.size]).toEqual([0, 0])
  })

  it('fails when a later attempt fails', async () => {
    const { world, fetches, partition, advance, listeners } = delayed()
    const answer = fetches.wait({
      attempt: () => {
        throw new RangeError('gone')
      },
      partitions: [partition],
      maxWaitMs: 250
    })
    advance()
    await expect(world.run(answer)).rejects.toThrow('gone')
    expect(listeners.size).toBe(0)
  })

  it('is finished by the broker that closes', async () => {
    const { world, fetches, partition } = delayed()
    const wait = { attempt: () => ({ answer: 1, satisfied: false }), partitions: [partition], maxWaitMs: 60_000 }
    const answers = Promise.all([fetches.wait(wait), fetches.wait(wait)])
    fetches.finishAll()
    expect(await world.run(answers)).toEqual([1, 1])
    expect(world.nowMs).toBeLessThan(1_000)
  })
})
