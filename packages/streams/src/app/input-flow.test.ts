import type { FetchedPartition } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { InputFlow, type InputTask } from './input-flow.ts'

/** A task of one input, that says what it has, and a consumer that notes what is paused. */
function scene() {
  const paused = new Set<string>()
  const name = ({ topic, partition }: { topic: string; partition: number }) => `${topic}-${partition}`
  const flow = new InputFlow({
    pause: (partitions) => {
      for (const one of partitions) paused.add(name(one))
    },
    resume: (partitions) => {
      for (const one of partitions) paused.delete(name(one))
    }
  })
  const has = { buffered: 0, full: false, inFlight: 0 }
  const task: InputTask = {
    inputs: [{ topic: 'in', partition: 0 }],
    task: {
      buffered: () => has.buffered,
      get full() {
        return has.full
      },
      get inFlight() {
        return has.inFlight
      }
    },
    offer: () => undefined
  }
  flow.add(task)
  const fetched: FetchedPartition = {
    topic: 'in',
    partition: 0,
    batches: [],
    position: 0,
    nextOffset: 10,
    highWatermark: 30,
    lastStableOffset: 30
  }
  return { flow, has, paused, fetch: () => flow.offer([fetched]) }
}

describe('the flow of input', () => {
  it('pauses a partition that is far behind, until half of it is done', () => {
    const { flow, has, paused, fetch } = scene()
    has.buffered = 40_000
    fetch()
    expect([...paused]).toEqual([])
    has.buffered = 40_001
    fetch()
    expect([...paused]).toEqual(['in-0'])
    has.buffered = 20_000
    flow.resumeCaughtUp()
    expect([...paused]).toEqual(['in-0'])
    has.buffered = 19_999
    flow.resumeCaughtUp()
    expect([...paused]).toEqual([])
  })

  it('pauses the partitions of a task that has as much asynchronous work as it may, however little waits', () => {
    const { flow, has, paused, fetch } = scene()
    Object.assign(has, { full: true, buffered: 1, inFlight: 16 })
    fetch()
    flow.resumeCaughtUp()
    expect([...paused]).toEqual(['in-0'])
    expect(flow.lag()).toBe(20 + 1 + 16)
    has.full = false
    flow.resumeCaughtUp()
    expect([...paused]).toEqual([])
  })
})
