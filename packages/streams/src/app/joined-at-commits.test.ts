import { openLog } from '@millrace/log'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defineTopology, type KTable, runStreams, string, tumbling, type Windowed } from '../index.ts'

type Emit = 'commit' | 'changes'
const RUNS = 25

type Kind = 'inner' | 'left' | 'outer'
type Input = readonly (readonly ['a' | 'b' | 'c', string, string | null])[]

const TEXT = { key: string(), value: string() }
const text = (value: unknown) => String(value)

function joined<K, L, R>(kind: Kind, left: KTable<K, L>, right: KTable<K, R>): KTable<K, string | null> {
  const value = { value: string() }
  if (kind === 'inner') return left.join(right, (one, other) => `${one} ${other}`, value)
  if (kind === 'left') return left.leftJoin(right, (one, other) => `${one} ${other}`, value)
  return left.outerJoin(right, (one, other) => `${one} ${other}`, value)
}

/** Tables that hold their updates back, joined, and what is joined counted by what it is. */
function topologyOf(emit: Emit, kind: Kind) {
  return defineTopology('joined', (b) => {
    const a = b.table('a', { ...TEXT, store: 'a', emit })
    const bs = b.stream('b', TEXT).groupByKey().count({ store: 'b', emit }).mapValues(text, { value: string() })
    const c = b.table('c', { ...TEXT })
    const two = joined(kind, a, bs)
    const three = joined(kind, two, c)
    const counted = <K>(table: KTable<K, string | null>, store: string) =>
      table.groupBy((value) => value, TEXT).count({ store, emit })
    counted(two, 'twos')
    counted(three, 'threes')
    const windows = (topic: string): KTable<Windowed<string>, number> =>
      b
        .stream(`${topic}-clicks`, TEXT)
        .groupByKey()
        .windowedBy(tumbling({ size: '1m', grace: '1d' }))
        .count({ store: `${topic}-windows`, emit })
    counted(joined(kind, windows('a'), windows('b')), 'windows')
  })
}

/** The counts when all of the input was there at the start, so that much of it is held back together. */
async function countsOf(emit: Emit, kind: Kind, input: Input): Promise<unknown> {
  const log = await openLog('memory:')
  const producer = log.producer()
  const admin = log.admin()
  const topics = ['a', 'b', 'c', 'a-clicks', 'b-clicks']
  await admin.createTopics(topics.map((name) => ({ name, partitions: 1 })))
  for (const [topic, key, value] of input) {
    const bytes = value === null ? null : Buffer.from(value)
    producer.enqueue(topic, 0, Buffer.from(key), bytes, 1)
    if (topic !== 'c') producer.enqueue(`${topic}-clicks`, 0, Buffer.from(key), bytes, 1)
  }
  await producer.close()
  const app = await runStreams(topologyOf(emit, kind), { log })
  await app.caughtUp()
  const counts: string[] = []
  for (const store of ['twos', 'threes', 'windows']) {
    // A group whose rows all came and went between two commits is not there, or has none.
    for await (const { key, value } of app.store<string, number>(store).all()) {
      if (value !== 0) counts.push(`${store} ${key}: ${value}`)
    }
  }
  await app.close()
  await admin.close()
  await log.close()
  return counts.sort()
}

const key = fc.constantFrom('k', 'l')
const value = fc.option(fc.constantFrom('1', '2'), { nil: null, freq: 3 })
const inputs = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), key, value), { maxLength: 24 })

it('a row of two tables that change between two commits is counted once', async () => {
  const input: Input = [
    ['a', 'k', '1'],
    ['b', 'k', '1'],
    ['c', 'k', '1']
  ]
  const once = ['threes 1 1 1: 1', 'twos 1 1: 1', 'windows 1 1: 1']
  expect(await countsOf('changes', 'inner', input)).toEqual(once)
  expect(await countsOf('commit', 'inner', input)).toEqual(once)
})

it('groups of joined tables are the same with every update and with those at commits', {
  timeout: 120_000
}, async () => {
  const property = fc.asyncProperty(
    inputs,
    fc.constantFrom('inner', 'left', 'outer'),
    async (input: Input, kind: Kind) => {
      expect(await countsOf('commit', kind, input)).toEqual(await countsOf('changes', kind, input))
    }
  )
  await fc.assert(property, { numRuns: RUNS })
})
