import { describe, expect, it } from 'vitest'
import { nullable } from '../../serde/custom.ts'
import { long } from '../../serde/long.ts'
import { string } from '../../serde/string.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'
import type { StreamsBuilder } from '../streams-builder.ts'

const text = { key: string(), value: string() }
const rows = { key: string(), value: nullable(string()) }

type Write = readonly [topic: string, key: string, value: string | null, atMs?: number]

/** `key=value@time` of what comes out of `out`, piece by piece. */
async function outOf(define: (b: StreamsBuilder) => void, writes: readonly Write[]): Promise<string[]> {
  const driver = await TopologyTestDriver.open(defineTopology('shown', define))
  const out = driver.output<string, unknown>('out')
  const seen: string[] = []
  for (const [index, [topic, key, value, atMs = index]] of writes.entries()) {
    await driver.input<string, string | null>(topic).pipe(key, value, atMs)
    const got = out.readAll().map((record) => `${record.key}=${record.value}@${record.timestamp}`)
    seen.push(got.join(' '))
  }
  await driver.close()
  return seen
}

const both = (left: string | null, right: string | null) => `${left}+${right}`

describe('a table', () => {
  const changes: readonly Write[] = [
    ['t', 'a', '1'],
    ['t', 'a', '2'],
    ['t', 'b', 'x'],
    ['t', 'a', null]
  ]

  it('has the latest value of every key; null deletes; toStream shows its changes', async () => {
    const seen = await outOf(
      (b) =>
        b
          .table('t', { ...rows, store: 't' })
          .toStream()
          .to('out', rows),
      changes
    )
    expect(seen).toEqual(['a=1@0', 'a=2@1', 'b=x@2', 'a=null@3'])
  })

  it('is what toTable makes of a stream', async () => {
    const seen = await outOf((b) => b.stream('t', rows).toTable({ store: 't' }).toStream().to('out', rows), changes)
    expect(seen).toEqual(['a=1@0', 'a=2@1', 'b=x@2', 'a=null@3'])
  })

  it('is filtered: a row that does not pass is deleted below', async () => {
    const isDigit = (value: string) => /\d/.test(value) && value !== '2'
    const kept = { ...rows, store: 't' }
    const filtered = await outOf((b) => b.table('t', kept).filter(isDigit).toStream().to('out', rows), changes)
    expect(filtered).toEqual(['a=1@0', 'a=null@1', '', ''])
    const others = await outOf((b) => b.table('t', kept).filterNot(isDigit).toStream().to('out', rows), changes)
    expect(others).toEqual(['', 'a=2@1', 'b=x@2', 'a=null@3'])
  })

  it('is mapped: deletions stay deletions', async () => {
    const mapped = await outOf(
      (b) =>
        b
          .table('t', { ...rows, store: 't' })
          .mapValues((value) => `${value}!`, { value: string(), store: 'mapped' })
          .toStream()
          .to('out'),
      changes
    )
    expect(mapped).toEqual(['a=1!@0', 'a=2!@1', 'b=x!@2', 'a=null@3'])
  })

  it('is grouped: a change takes out what a row was and puts in what it is', async () => {
    const moves: readonly Write[] = [
      ['t', 'a', 'north 1'],
      ['t', 'b', 'north 2'],
      ['t', 'a', 'south 3'],
      ['t', 'b', null]
    ]
    const changed = { emit: 'changes' } as const
    const amount = (value: string) => Number(value.split(' ')[1])
    const grouped = (b: StreamsBuilder) =>
      b.table('t', { key: string(), value: string(), store: 't' }).groupBy((value) => value.split(' ')[0])
    const counted = await outOf((b) => grouped(b).count(changed).toStream().to('out'), moves)
    expect(counted).toEqual(['north=1@0', 'north=2@1', 'north=1@2 south=1@2', 'north=0@3'])
    const fold = {
      initial: () => 10,
      adder: (value: string, sum: number) => sum + amount(value),
      subtractor: (value: string, sum: number) => sum - amount(value)
    }
    const summed = await outOf(
      (b) =>
        grouped(b)
          .aggregate(fold, { value: long(), ...changed })
          .toStream()
          .to('out'),
      moves
    )
    expect(summed).toEqual(['north=11@0', 'north=13@1', 'north=12@2 south=13@2', 'north=10@3'])
    const reduced = await outOf(
      (b) =>
        grouped(b)
          .reduce(
            (value, all) => `${all}, ${value}`,
            (value, all) => `${all} without ${value}`,
            changed
          )
          .toStream()
          .to('out'),
      moves
    )
    expect(reduced).toEqual([
      'north=north 1@0',
      'north=north 1, north 2@1',
      'north=north 1, north 2 without north 1@2 south=south 3@2',
      'north=north 1, north 2 without north 1 without north 2@3'
    ])
  })

  it('is joined with another by key, on changes of either side', async () => {
    const writes: readonly Write[] = [
      ['l', 'a', '1'],
      ['r', 'a', 'x'],
      ['r', 'b', 'y'],
      ['l', 'a', null]
    ]
    const joined = (kind: 'join' | 'leftJoin' | 'outerJoin') =>
      outOf((b) => {
        const [left, right] = [b.table('l', { ...rows, store: 'l' }), b.table('r', { ...rows, store: 'r' })]
        const value = { value: string() }
        const made = {
          join: () => left.join(right, both, value),
          leftJoin: () => left.leftJoin(right, both, value),
          outerJoin: () => left.outerJoin(right, both, value)
        }
        made[kind]().toStream().to('out')
      }, writes)
    expect(await joined('join')).toEqual(['', 'a=1+x@1', '', 'a=null@3'])
    expect(await joined('leftJoin')).toEqual(['a=1+null@0', 'a=1+x@1', '', 'a=null@3'])
    expect(await joined('outerJoin')).toEqual(['a=1+null@0', 'a=1+x@1', 'b=null+y@2', 'a=null+x@3'])
  })
})

describe('a stream', () => {
  it('is joined with a table: each record with the row as it is', async () => {
    const writes: readonly Write[] = [
      ['s', 'a', '1'],
      ['t', 'a', 'x'],
      ['s', 'a', '2'],
      ['t', 'a', null],
      ['s', 'a', '3']
    ]
    const joined = (kind: 'join' | 'leftJoin') =>
      outOf((b) => {
        const table = b.table('t', { ...rows, store: 't' })
        const stream = b.stream('s', text)
        const value = { value: string() }
        const made = {
          join: () => stream.join(table, both, value),
          leftJoin: () => stream.leftJoin(table, both, value)
        }
        made[kind]().to('out')
      }, writes)
    expect(await joined('join')).toEqual(['', '', 'a=2+x@2', '', ''])
    expect(await joined('leftJoin')).toEqual(['a=1+null@0', '', 'a=2+x@2', '', 'a=3+null@4'])
  })

  it('waits for the grace of a versioned table, and is joined as of its own time', async () => {
    const seen = await outOf(
      (b) => {
        const table = b.table('t', { ...rows, store: 't', history: 100 })
        b.stream('s', text).join(table, both, { value: string(), grace: 10 }).to('out')
      },
      [
        ['t', 'a', 'old', 0],
        ['s', 'a', '1', 5],
        ['t', 'a', 'between', 4],
        ['t', 'a', 'new', 6],
        ['s', 'b', 'moves time', 20]
      ]
    )
    expect(seen).toEqual(['', '', '', '', 'a=1+between@5'])
  })

  it('is joined with another within a window, alone where nothing matched', async () => {
    const writes: readonly Write[] = [
      ['l', 'a', '1', 0],
      ['r', 'a', 'x', 5],
      ['r', 'b', 'y', 6],
      ['l', 'a', '2', 30],
      ['l', 'c', '3', 100]
    ]
    const joined = (kind: 'join' | 'leftJoin' | 'outerJoin') =>
      outOf((b) => {
        const [left, right] = [b.stream('l', text), b.stream('r', text)]
        const options = { within: 10, value: string() } as const
        const made = {
          join: () => left.join(right, both, options),
          leftJoin: () => left.leftJoin(right, both, options),
          outerJoin: () => left.outerJoin(right, both, options)
        }
        made[kind]().to('out')
      }, writes)
    expect(await joined('join')).toEqual(['', 'a=1+x@5', '', '', ''])
    expect(await joined('leftJoin')).toEqual(['', 'a=1+x@5', '', '', 'a=2+null@30'])
    expect(await joined('outerJoin')).toEqual(['', 'a=1+x@5', '', 'b=null+y@6', 'a=2+null@30'])
  })

  it('is joined with a global table by a key of its own', async () => {
    const seen = await outOf(
      (b) => {
        const table = b.globalTable('t', text)
        b.stream('s', text)
          .leftJoin(table, both, { key: (value) => value, value: string() })
          .to('out')
      },
      [
        ['t', 'x', 'row'],
        ['s', 'a', 'x'],
        ['s', 'a', 'none']
      ]
    )
    expect(seen).toEqual(['', 'a=x+row@1', 'a=none+null@2'])
  })
})
