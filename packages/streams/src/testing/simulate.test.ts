import { UsageError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { tumbling } from '../dsl/windows.ts'
import { string } from '../serde/string.ts'
import { deadLetter } from '../task/error-policy.ts'
import { SimulatedRunError, simulate } from './simulate.ts'
import type { SimulateOptions } from './simulated-options.ts'

const WORDS = ['to', 'be', 'or', 'not', 'that', 'is', 'the', 'question']

const wordCount = defineTopology('word-count', (b) => {
  b.stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((word) => word)
    .count({ store: 'counts' })
    .toStream()
    .to('word-counts')
})

/** Every word as often as its place says. */
const lines = Array.from({ length: 60 }, (_, i) => ({
  topic: 'lines',
  key: `k${i % 7}`,
  value: WORDS.filter((_, place) => i % (place + 1) === 0).join(' '),
  timestamp: i
}))
const counts = WORDS.map((word, place) => [word, Math.ceil(60 / (place + 1))] as const).sort()

describe('simulate', () => {
  it('counts everything exactly once, whatever befalls the instances', { timeout: 120_000 }, async () => {
    const sums = { crashes: 0, rebalances: 0, disconnects: 0, disturbedRequests: 0 }
    for (let seed = 1; seed <= 10; seed++) {
      const result = await simulate(wordCount, { seed, input: lines, partitions: 3 })
      expect(result.table('counts').map(({ key, value }) => [key, value])).toEqual(counts)
      expect(
        result
          .latest('word-counts')
          .map(({ key, value }) => [key, value])
          .sort()
      ).toEqual(counts)
      for (const name of ['crashes', 'rebalances', 'disconnects', 'disturbedRequests'] as const) {
        sums[name] += result.counts[name]
      }
    }
    expect(sums.crashes).toBeGreaterThan(10)
    expect(sums.rebalances).toBe(10)
    expect(sums.disturbedRequests).toBeGreaterThan(100)
  })
})

describe('a simulated run', () => {
  it('takes the same course again from the same seed', async () => {
    const [first, second] = [
      await simulate(wordCount, { seed: 5, input: lines }),
      await simulate(wordCount, { seed: 5, input: lines })
    ]
    expect(second.traceHash).toBe(first.traceHash)
    expect(second.trace).toEqual(first.trace)
    expect(second.output('word-counts')).toEqual(first.output('word-counts'))
    expect((await simulate(wordCount, { seed: 6, input: lines })).traceHash).not.toBe(first.traceHash)
  })

  it('survives a log whose machine crashes', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const result = await simulate(wordCount, { seed, input: lines, faults: { logCrashes: 2 } })
      expect(result.counts.logCrashes).toBeGreaterThan(0)
      expect(result.table('counts').map(({ key, value }) => [key, value])).toEqual(counts)
    }
  })

  it('notices state that is not in a store', async () => {
    const failures: unknown[] = []
    for (let seed = 1; seed <= 10; seed++) {
      const seen = new Map<string | null, number>()
      const forgetful = defineTopology('forgetful', (b) => {
        b.stream('lines', { key: string(), value: string() })
          .mapValues(
            (_line, { key }) => {
              seen.set(key, (seen.get(key) ?? 0) + 1)
              return String(seen.get(key))
            },
            { value: string() }
          )
          .to('numbered')
      })
      const last = (n: number) => String(Math.ceil((60 - n) / 7))
      const expected = Array.from({ length: 7 }, (_, n) => [`k${n}`, last(n)])
      await simulate(forgetful, {
        seed,
        input: lines,
        expect: ({ latest }) => {
          expect(
            latest('numbered')
              .map(({ key, value }) => [key, value])
              .sort()
          ).toEqual(expected)
        }
      }).catch((error) => failures.push(error))
    }
    expect(failures.length).toBeGreaterThan(2)
    const [failure] = failures
    expect(failure).toBeInstanceOf(SimulatedRunError)
    expect(failure).toMatchObject({
      seed: expect.any(Number),
      trace: expect.arrayContaining([expect.stringMatching(/ms: instance-\d (loses power|is killed)/)]),
      message: expect.stringMatching(
        /^the simulation of forgetful failed with seed \d+: [\s\S]*\nagain: simulate\(topology, \{ seed: \d+, … \}\)$/
      )
    })
  })

  it('comes to rest although the wall clock does not', async () => {
    const ticking = defineTopology('ticking', (b) => {
      b.stream('lines', { key: string(), value: string() })
        .process({
          make: (context) => {
            context.schedule('50ms', 'wall-clock', () => undefined)
            return { process: (record) => context.forward(record) }
          }
        })
        .to('copies')
    })
    const result = await simulate(ticking, { input: lines })
    expect(result.output('copies')).toHaveLength(lines.length)
  })

  it('fails with what the application failed with', async () => {
    const failing = defineTopology('failing', (b) => {
      b.stream('lines', { key: string(), value: string() })
        .filter((line) => {
          if (line.includes('question')) throw new UsageError('no questions')
          return true
        })
        .to('answers')
    })
    await expect(simulate(failing, { input: lines, faults: false })).rejects.toThrow(
      /seed 1: application failing stopped/
    )
  })

  it('shows late records, dead letters, and topics that a function names', async () => {
    const topology = defineTopology('routes', (b) => {
      const words = b.stream('lines', { key: string(), value: string() })
      words
        .groupByKey()
        .windowedBy(tumbling({ size: '1s' }), { onLate: { lateTo: 'late' } })
        .count()
      words
        .peek((word) => {
          if (word === 'bad') throw new RangeError(word)
        })
        .to((word) => (word === 'one' ? 'ones' : 'others'))
    })
    const texts = { key: string(), value: string() }
    const { output, latest } = await simulate(topology, {
      input: ['one', 'two', 'late', 'bad'].map((value, i) => ({
        topic: 'lines',
        key: 'k',
        value,
        timestamp: [1_000, 9_000, 2_000, 9_000][i]
      })),
      topics: { ones: texts, others: texts, 'dead-letters': texts },
      errors: { processing: deadLetter('dead-letters') }
    })
    const values = (topic: string) => output<string, string>(topic).map(({ value }) => value)
    expect(['late', 'ones', 'others', 'dead-letters'].map(values)).toEqual([
      ['late'],
      ['one'],
      ['two', 'late'],
      ['bad']
    ])
    expect(latest('others')).toMatchObject([{ value: 'late' }])
  })

  it.each<[Partial<SimulateOptions>, string]>([
    [{ instances: 0 }, 'instances is 0: give a whole number from 1 up'],
    [{ partitions: 1.5 }, 'partitions is 1.5'],
    [{ seed: Number.NaN }, 'seed is NaN'],
    [{ faults: { crashes: -1 } }, 'faults.crashes is -1'],
    [{ faults: { lostRequests: 1 } }, 'faults.lostRequests is 1: give a share from 0 to below 1'],
    [{ input: [{ topic: 'lines', key: 'k', value: 'v', partition: 3 }] }, 'input[0].partition is 3: give one of 3'],
    [{ commitInterval: 0 }, 'commitInterval is 0']
  ])('refuses %j', async (options, message) => {
    await expect(simulate(wordCount, { input: lines, ...options })).rejects.toThrow(message)
  })

  it('says which tables and topics there are', async () => {
    const result = await simulate(wordCount, { input: lines.slice(0, 3), faults: false, instances: 1, partitions: 1 })
    expect(result.counts).toMatchObject({ crashes: 0, rebalances: 0, disturbedRequests: 0 })
    expect(() => result.table('cuonts')).toThrow('has no store cuonts; there are: counts')
    expect(() => result.output('lines')).toThrow('writes no topic lines; there are: word-counts')
    expect(result.output('word-counts')[0]).toMatchObject({ partition: 0, offset: 0, timestamp: expect.any(Number) })
  })
})
