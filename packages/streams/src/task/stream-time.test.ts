import { describe, expect, it } from 'vitest'
import { StreamTime } from './stream-time.ts'

/** Every time of a task, to compare. */
const shown = (time: StreamTime) => ({
  task: time.taskMs,
  partitions: ['clicks', 'views'].map((topic) => time.partition(topic).ms),
  operators: ['count', 'sum'].map((node) => [time.operator(node).observedMs, time.operator(node).closedMs])
})

function timeOf(...nodes: string[]): StreamTime {
  const time = new StreamTime()
  for (const topic of ['clicks', 'views']) time.partition(topic)
  for (const node of nodes) time.operator(node)
  return time
}

describe("a task's times", () => {
  it('advance with the greatest timestamp, per partition and for the task', () => {
    const time = timeOf()
    const clicks = time.partition('clicks')
    time.advance(clicks, 50)
    time.advance(clicks, 20)
    time.advance(time.partition('views'), 70)
    expect([clicks.ms, time.partition('views').ms, time.taskMs]).toEqual([50, 70, 70])
  })

  it('come back from their bytes', () => {
    const time = timeOf('count')
    time.advance(time.partition('clicks'), 1_700_000_000_123)
    time.operator('count').observedMs = 2 ** 53 - 1
    time.operator('count').closedMs = 1_699_999_999_999
    const restored = timeOf('count')
    restored.restore(time.encode())
    expect(shown(restored)).toEqual({
      task: 1_700_000_000_123,
      partitions: [1_700_000_000_123, -1],
      operators: [
        [2 ** 53 - 1, 1_699_999_999_999],
        [-1, -1]
      ]
    })
  })

  it('take the greater of two saved states, in any order', () => {
    const [older, newer] = [timeOf('count'), timeOf('count')]
    older.operator('count').observedMs = 10
    older.advance(older.partition('views'), 99)
    newer.operator('count').observedMs = 20
    for (const states of [
      [older, newer],
      [newer, older]
    ]) {
      const restored = timeOf('count')
      for (const state of states) restored.restore(state.encode())
      expect([restored.operator('count').observedMs, restored.partition('views').ms]).toEqual([20, 99])
    }
  })

  it('outlive an edit of the topology: what is gone is ignored, what is new begins', () => {
    const before = timeOf('count', 'sum')
    before.operator('count').observedMs = 10
    before.operator('sum').observedMs = 11
    const after = timeOf('count', 'average')
    after.restore(before.encode())
    expect([after.operator('count').observedMs, after.operator('average').observedMs]).toEqual([10, -1])
  })

  it('ignore bytes of another origin', () => {
    const time = timeOf('count')
    for (const bytes of [Buffer.alloc(0), Buffer.from('set by a tool'), Buffer.from([9]), Buffer.from([1, 0, 0])]) {
      time.restore(bytes)
    }
    expect(shown(time)).toEqual(shown(timeOf('count')))
  })

  it('stay small enough for the metadata of an offset', () => {
    const time = timeOf()
    for (let i = 0; i < 100; i++)
      Object.assign(time.operator(`a-rather-long-name-of-a-node-${i}`), { observedMs: i, closedMs: i })
    expect(time.encode().toString('base64').length).toBeLessThan(4096)
  })

  it('carry the counts of what was dropped, also of nodes that drop nothing in this life', () => {
    const first = timeOf('count')
    first.dropCounter('count').add('late')
    first.dropCounter('count').add('late')
    first.dropCounter('clicks').add('null-key')
    const second = timeOf('count')
    second.restore(first.encode())
    second.dropCounter('count').add('late')
    const third = timeOf('count')
    third.restore(second.encode())
    expect(third.dropCounter('count').counts.late).toBe(3)
    expect(third.dropCounter('clicks').counts['null-key']).toBe(1)
    expect(third.dropCounters()).toHaveLength(2)
  })
})
