import { describe, expect, it } from 'vitest'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { BackgroundJobs } from './background-jobs.ts'
import type { BrokerEvent } from './event.ts'

function running() {
  const world = new SimulatedWorld({ seed: 1 })
  const { timers } = world.machine('a').environment
  const events: BrokerEvent[] = []
  return { world, timers, events, jobs: new BackgroundJobs(timers, (event) => events.push(event)) }
}

describe('background jobs', () => {
  it('run at their interval, and go on after a failure', async () => {
    const { world, jobs, events } = running()
    let runs = 0
    jobs.start({
      name: 'tidy up',
      intervalMs: 100,
      run: () => {
        runs++
        if (runs === 2) throw new RangeError('once')
      }
    })
    await world.runFor(350)
    expect(runs).toBe(3)
    expect(events.map((event) => event.kind === 'job-failed' && event.job)).toEqual(['tidy up'])
  })

  it('never run beside themselves, and are waited for when they are stopped', async () => {
    const { world, timers, jobs } = running()
    let open = 0
    let most = 0
    let runs = 0
    jobs.start({
      name: 'slow',
      intervalMs: 10,
      run: async () => {
        runs++
        most = Math.max(most, ++open)
        await new Promise<void>((resolve) => {
          timers.set(50, resolve)
        })
        open--
      }
    })
    await world.runFor(75)
    expect([runs, open]).toEqual([2, 1])
    await world.run(jobs.stop())
    expect([most, open]).toEqual([1, 0])
    await world.runFor(500)
    expect(runs).toBe(2)
  })
})
