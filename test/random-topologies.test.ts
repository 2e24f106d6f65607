import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GoldenNode } from '../tools/golden/case.ts'
import { keptInPartitions } from '../tools/golden/variants/raced.ts'
import { commutingParts } from '../tools/simulate/streams/commuting.ts'
import { type RandomCase, randomCase } from '../tools/simulate/streams/random-case.ts'
import { shrink } from '../tools/simulate/streams/shrink.ts'
import { simulateStreams } from '../tools/simulate/streams/stream-simulation.ts'

const SIMULATE = join(import.meta.dirname, '../tools/simulate/run.ts')

/** Runs `npm run simulate` as a process; resolves with its exit code and all it said. */
function simulate(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=source', SIMULATE, ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

describe('random topologies', { timeout: 600_000 }, () => {
  it('come to the same on the test driver, on an embedded log and on three instances with faults: 300 seeds', async () => {
    const halves = await Promise.all(['1..150', '151..300'].map((seeds) => simulate(['streams', '--seeds', seeds])))
    for (const { code, output } of halves) expect(code, output).toBe(0)
    // It would prove little if nothing was compared, or the worlds were peaceful.
    const total = (name: string) =>
      halves.reduce((sum, { output }) => sum + Number(output.match(new RegExp(`[( ]${name} (\\d+)`))?.[1] ?? 0), 0)
    expect(total('simulated')).toBeGreaterThan(150)
    expect(total('crashes')).toBeGreaterThan(200)
    expect(total('disturbedRequests')).toBeGreaterThan(1000)
    expect(total('nodes')).toBeGreaterThan(300 * 8)
  })
})

describe('the generator', () => {
  it('composes three operators and more, the same for the same seed', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { topology } = randomCase(seed)
      expect(topology.length).toBeGreaterThanOrEqual(3)
      expect(randomCase(seed)).toEqual(randomCase(seed))
    }
  })

  it('marks what does not depend on who processes what when', () => {
    const commuting = (...topology: GoldenNode[]) => [...commutingParts({ name: 'x', topology, input: [] }).topics]
    const source = { id: 's', op: 'stream', topic: 'in' }
    const rekeyed = { id: 'k', op: 'selectKey', from: 's', fn: 'valueMod3' }
    const grouped = { id: 'g', op: 'groupByKey', from: 'k' }
    const out = (from: string): GoldenNode => ({ op: 'to', from, topic: 'out' })
    const stream = { id: 'o', op: 'toStream', from: 'a' }
    expect(commuting(source, out('s'))).toEqual([['out', 'all']])
    expect(commuting(source, rekeyed, out('k'))).toEqual([['out', 'set']])
    expect(commuting(source, rekeyed, grouped, { id: 'a', op: 'count', from: 'g' }, stream, out('o'))).toEqual([
      ['out', 'final']
    ])
    expect(commuting(source, rekeyed, grouped, { id: 'a', op: 'reduce', from: 'g' }, stream, out('o'))).toEqual([])
    const table = { id: 't', op: 'table', topic: 'rows' }
    expect(commuting(source, table, { id: 'j', op: 'join', left: 's', right: 't' }, out('j'))).toEqual([])
    expect(commuting(source, table, out('s'), out('s'))).toEqual([['out', 'set']])
    const mapped = { id: 'm', op: 'mapValues', from: 't', fn: 'bracket', store: 'mapped' }
    const rows = { id: 'r', op: 'toStream', from: 'm' }
    expect(commuting(table, mapped, rows, out('r'))).toEqual([['out', 'final']])
    expect(commuting(table, { ...mapped, historyMs: 200 }, rows, out('r'))).toEqual([])
  })

  it('knows that answers of a foreign-key join supersede one another', () => {
    const topology = [
      { id: 'l', op: 'table', topic: 'l' },
      { id: 'r', op: 'table', topic: 'r' },
      { id: 'j', op: 'join', left: 'l', right: 'r', foreignKeyFn: 'foreign' },
      { id: 'o', op: 'toStream', from: 'j' },
      { op: 'to', from: 'o', topic: 'joined' },
      { id: 'p', op: 'toStream', from: 'l' },
      { op: 'to', from: 'p', topic: 'left' }
    ]
    expect([...keptInPartitions({ topology }, 1).topics]).toEqual([
      ['joined', 'last'],
      ['left', 'every']
    ])
  })
})

describe('a failing case', { timeout: 120_000 }, () => {
  const given: RandomCase = {
    name: 'big',
    topology: [
      { id: 'a', op: 'stream', topic: 'in0' },
      { id: 'b', op: 'stream', topic: 'in1' },
      { id: 'c', op: 'mapValues', from: 'a', fn: 'bracket' },
      { id: 'd', op: 'filter', from: 'c', fn: 'valueIsEven' },
      { id: 'e', op: 'merge', from: ['d', 'b'] },
      { op: 'to', from: 'e', topic: 'out' },
      { op: 'to', from: 'b', topic: 'out1' }
    ],
    input: Array.from({ length: 40 }, (_, i) => [`in${i % 2}`, 'k', String(i), i])
  }

  it('is shrunk to what it takes to fail', async () => {
    const failure = async ({ topology, input }: RandomCase) =>
      topology.some(({ op }) => op === 'filter') && input.some((one) => 'length' in one && one[2] === '28')
        ? 'it fails'
        : undefined
    const { smallest, difference } = await shrink(given, { difference: 'it fails', failure })
    expect(difference).toBe('it fails')
    expect(smallest.input).toEqual([['in0', 'k', '28', 28]])
    expect(smallest.topology.map(({ op }) => op)).toEqual(['stream', 'filter', 'to'])
  })

  it('is said with its seed, its smallest form and what differs', async () => {
    const wrong: RandomCase = {
      ...given,
      topology: [...given.topology, { id: 'x', op: 'filter', from: 'b', fn: 'unheard' }]
    }
    const failed = await simulateStreams(wrong, 7).catch((error: unknown) => error)
    expect(failed).toMatchObject({ seed: 7, message: expect.stringContaining('no function is called unheard') })
  })

  it('is told to whoever asks for what there is not', async () => {
    expect(await simulate(['--speeds', '1'])).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^Unknown option '--speeds'/)
    })
    expect(await simulate(['clocks'])).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^there is no simulation clocks\nusage/)
    })
    expect(await simulate(['--seeds', 'all'])).toMatchObject({ code: 2, output: expect.stringMatching(/write A\.\.B/) })
  })
})
