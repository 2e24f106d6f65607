import { describe, expect, it } from 'vitest'
import type { CogroupedKStream } from '../dsl/cogrouped-k-stream.ts'
import { defineTopology } from '../dsl/define-topology.ts'
import type { KTable } from '../dsl/k-table.ts'
import { sessions, tumbling, unlimited } from '../dsl/windows.ts'
import type { Topology } from '../graph/topology.ts'
import { string } from '../serde/string.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }
type Event = readonly [topic: 'clicks' | 'buys', key: string | null, value: string, timestamp: number]

/** Clicks and purchases of a visitor in one aggregate. */
function visiting<K>(aggregated: (cogrouped: CogroupedKStream<string, string>) => KTable<K, string>): Topology {
  return defineTopology('visits', (builder) => {
    const clicks = builder.stream('clicks', text).groupByKey()
    const buys = builder.stream('buys', text).groupByKey()
    const cogrouped = clicks
      .cogroup<string>((click, visit) => `${visit} saw ${click}`)
      .cogroup(buys, (item, visit) => `${visit} bought ${item}`)
    aggregated(cogrouped)
      .toStream()
      .map((value, { key }): [string, string | null] => [String(key), value], text)
      .to('visits')
  })
}

async function drive(topology: Topology, events: readonly Event[]): Promise<string[]> {
  const driver = await TopologyTestDriver.open(topology)
  for (const [topic, key, value, timestamp] of events)
    await driver.input<string, string>(topic).pipe(key, value, timestamp)
  const came = driver.output<string, string>('visits').readAll()
  await driver.close()
  return came.map(({ key, value, timestamp }) => `${key} = ${value} at ${timestamp}`)
}

const initial = () => '-'
const options = { value: string(), store: 'visits', emit: 'changes' } as const

describe('a cogroup', () => {
  it('folds each stream with its own function into one aggregate', async () => {
    const topology = visiting((cogrouped) => cogrouped.aggregate(initial, options))
    expect(topology.stores.map(({ name }) => name)).toEqual(['visits'])
    const came = await drive(topology, [
      ['clicks', 'ann', 'hat', 10],
      ['buys', 'ann', 'hat', 30],
      ['buys', null, 'lost', 31],
      ['clicks', 'ann', 'cap', 20]
    ])
    expect(came).toEqual([
      'ann = - saw hat at 10',
      'ann = - saw hat bought hat at 30',
      'ann = - saw hat bought hat saw cap at 30'
    ])
  })

  it('has a time for each stream: one does not make the other late', async () => {
    const kept = { ...options, retention: '1s' } as const
    const topology = visiting((cogrouped) => cogrouped.windowedBy(tumbling({ size: 10 })).aggregate(initial, kept))
    const came = await drive(topology, [
      ['clicks', 'ann', 'hat', 1],
      ['buys', 'ann', 'hat', 12],
      ['clicks', 'ann', 'cap', 9],
      ['buys', 'ann', 'cap', 8]
    ])
    expect(came).toEqual([
      'ann@0/10 = - saw hat at 1',
      'ann@10/20 = - bought hat at 12',
      'ann@0/10 = - saw hat saw cap at 9'
    ])
  })

  it('drops what an input brings to a window that is past its retention, rather than begin it anew', async () => {
    const topology = visiting((cogrouped) => cogrouped.windowedBy(tumbling({ size: 10 })).aggregate(initial, options))
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('clicks').pipe('ann', 'hat', 1)
    await driver.input<string, string>('buys').pipe('ann', 'hat', 100)
    await driver.input<string, string>('clicks').pipe('ann', 'cap', 2)
    expect(driver.output<string, string>('visits').readValues()).toEqual(['- saw hat', '- bought hat'])
    expect(driver.dropped('late')).toBe(1)
    await driver.close()
  })

  it('has one time and one result per window when final', async () => {
    const final = { ...options, emit: 'final' } as const
    const topology = visiting((cogrouped) => cogrouped.windowedBy(tumbling({ size: 10 })).aggregate(initial, final))
    const came = await drive(topology, [
      ['clicks', 'ann', 'hat', 1],
      ['buys', 'ann', 'hat', 5],
      ['buys', 'bob', 'hat', 12],
      ['clicks', 'ann', 'cap', 9]
    ])
    expect(came).toEqual(['ann@0/10 = - saw hat bought hat at 5'])
  })

  it('merges sessions', async () => {
    const topology = visiting((cogrouped) =>
      cogrouped.windowedBy(sessions({ gap: 5 })).aggregate(initial, (left, right) => `(${left} & ${right})`, options)
    )
    const came = await drive(topology, [
      ['clicks', 'ann', 'hat', 1],
      ['buys', 'ann', 'hat', 3]
    ])
    expect(came).toEqual([
      'ann@1/1 = - saw hat at 1',
      'ann@1/1 = null at 1',
      'ann@1/3 = (- & - saw hat) bought hat at 3'
    ])
  })

  it('emits a key once at a commit, whichever streams changed it, and survives a crash', async () => {
    const committed = { ...options, emit: 'commit' } as const
    const bench = await TaskBench.open(visiting((cogrouped) => cogrouped.aggregate(initial, committed)))
    const run = () => {
      while (bench.task.process(10) > 0);
    }
    bench.feed('clicks', [{ key: 'ann', value: 'hat', timestamp: 1 }])
    bench.feed('buys', [{ key: 'ann', value: 'hat', timestamp: 2 }])
    run()
    await bench.crash()
    run()
    await bench.commit()
    expect(bench.output().map(({ value }) => value)).toEqual(['- saw hat bought hat'])
  })
})

describe('an unlimited window', () => {
  it('begins at its start and never ends', async () => {
    const topology = visiting((cogrouped) => cogrouped.windowedBy(unlimited({ start: 10 })).aggregate(initial, options))
    const came = await drive(topology, [
      ['clicks', 'ann', 'early', 9],
      ['clicks', 'ann', 'hat', 10],
      ['buys', 'ann', 'hat', 1_000_000_000],
      ['clicks', 'ann', 'cap', 11]
    ])
    const window = `ann@10/${Number.MAX_SAFE_INTEGER}`
    expect(came).toEqual([
      `${window} = - saw hat at 10`,
      `${window} = - saw hat bought hat at 1000000000`,
      `${window} = - saw hat bought hat saw cap at 1000000000`
    ])
  })

  it('can not be final', () => {
    const final = { ...options, emit: 'final' } as const
    expect(() => visiting((cogrouped) => cogrouped.windowedBy(unlimited()).aggregate(initial, final))).toThrow(
      /unlimited window never ends/
    )
  })
})
