import { describe, expect, it } from 'vitest'
import type { Environment } from './environment.ts'
import { memoryEnvironment } from './memory-environment.ts'
import { Wakeup } from './wakeup.ts'

/** Timers that run when the test says so. */
function timersByHand() {
  const set = new Map<number, () => void>()
  const soon: (() => void)[] = []
  const environment: Environment = {
    ...memoryEnvironment(),
    timers: {
      set: (delayMs, run) => {
        set.set(delayMs, run)
        return { cancel: () => set.delete(delayMs) }
      },
      soon: (run) => soon.push(run)
    }
  }
  return { environment, set, soon }
}

function follow(wait: Promise<void>) {
  const state = { over: false }
  void wait.then(() => {
    state.over = true
  })
  return state
}

describe('a wakeup', () => {
  it('ends a wait at a signal, and its timer with it', async () => {
    const { environment, set } = timersByHand()
    const wakeup = new Wakeup(environment)
    const wait = wakeup.wait(100)
    expect([...set.keys()]).toEqual([100])
    wakeup.signal()
    await wait
    expect(set.size).toBe(0)
  })

  it('keeps one signal for the next wait, however many came', async () => {
    const { environment, set, soon } = timersByHand()
    const wakeup = new Wakeup(environment)
    wakeup.signal()
    wakeup.signal()
    await wakeup.wait()
    const second = follow(wakeup.wait())
    await Promise.resolve()
    expect(second.over).toBe(false)
    expect(set.size + soon.length).toBe(0)
  })

  it('waits for the time it is told, for a turn with 0, for ever without one', async () => {
    const { environment, set, soon } = timersByHand()
    const wakeup = new Wakeup(environment)
    const timed = wakeup.wait(7)
    set.get(7)?.()
    await timed
    const turn = wakeup.wait(0)
    soon.shift()?.()
    await turn
    void wakeup.wait()
    expect([set.size, soon.length]).toEqual([0, 0])
  })

  it('is not ended by the turn of an earlier wait', async () => {
    const { environment, soon } = timersByHand()
    const wakeup = new Wakeup(environment)
    const first = wakeup.wait(0)
    wakeup.signal()
    await first
    const second = follow(wakeup.wait())
    soon.shift()?.()
    await Promise.resolve()
    expect(second.over).toBe(false)
  })
})
