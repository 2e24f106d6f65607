import { openLog } from '@millrace/log'
import fc from 'fast-check'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { runStreams } from '../app/run-streams.ts'
import { defineTopology } from '../dsl/define-topology.ts'
import { formatTopology } from '../graph/describe.ts'
import { lintTopology } from '../graph/lint.ts'
import { string } from '../serde/string.ts'
import { type BenchRecord, TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }
const TTL_MS = 10

const expiring = (emit: 'changes' | 'commit') =>
  defineTopology('expiring', (b) => {
    b.table('in', { ...text, ttl: TTL_MS, emit, store: 'rows' })
      .toStream()
      .to('out')
    b.stream('other', text).to('others')
  })

const aggregating = (emit: 'changes' | 'commit') =>
  defineTopology('aggregating', (b) => {
    b.stream('in', text)
      .groupByKey()
      .reduce((value, sum) => `${sum}${value}`, { ttl: TTL_MS, emit, store: 'rows' })
      .toStream()
      .to('out')
  })

type Row = { readonly value: string; readonly timestamp: number }

/** What a table with a time to live is: a map, a clock, and two moments at which a row goes. */
class Model {
  readonly rows = new Map<string, Row>()
  readonly changes: [string, string | null, number][] = []
  readonly #fold: ((sum: string, value: string) => string) | undefined
  #nowMs = -1

  constructor(fold?: (sum: string, value: string) => string) {
    this.#fold = fold
  }

  take({ key, value, timestamp }: { key: string; value: string | null; timestamp: number }): void {
    this.#see(timestamp)
    if (value === null && this.#fold) return
    const old = this.rows.get(key)
    if (old && this.#isOver(old.timestamp)) this.#expire(key, old)
    const live = this.rows.get(key)
    const at = this.#fold && live ? Math.max(live.timestamp, timestamp) : timestamp
    if (this.#isOver(at)) {
      if (live === undefined || this.#fold) return
      this.rows.delete(key)
      this.changes.push([key, null, at])
      return
    }
    const becomes = value !== null && this.#fold && live ? this.#fold(live.value, value) : value
    if (becomes === null) this.rows.delete(key)
    else this.rows.set(key, { value: becomes, timestamp: at })
    this.changes.push([key, becomes, at])
  }

  commit(): void {
    const over = [...this.rows].filter(([, { timestamp }]) => this.#isOver(timestamp))
    over.sort(([a, left], [b, right]) => left.timestamp - right.timestamp || (a < b ? -1 : 1))
    for (const [key, row] of over) this.#expire(key, row)
  }

  #see(timestamp: number): void {
    this.#nowMs = Math.max(this.#nowMs, timestamp)
  }

  #isOver(timestamp: number): boolean {
    return this.#nowMs - timestamp >= TTL_MS
  }

  #expire(key: string, { timestamp }: Row): void {
    this.rows.delete(key)
    this.changes.push([key, null, timestamp + TTL_MS])
  }
}

const records = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('x', 'y', 'z') },
      { weight: 1, arbitrary: fc.constant(null) }
    ),
    timestamp: fc.integer({ min: 0, max: 60 }),
    /** What comes after it. */
    next: fc.constantFrom('nothing', 'nothing', 'commit', 'crash', 'lost')
  }),
  { minLength: 1, maxLength: 40 }
)

/** Runs the records one by one; a crash comes after a commit, or loses the last record, which is then processed again. */
async function run(topology: ReturnType<typeof expiring>, given: readonly (BenchRecord & { readonly next: string })[]) {
  const bench = await TaskBench.open(topology)
  for (const { next, ...record } of given) {
    if (next === 'lost') await bench.commit()
    bench.feed('in', [record])
    bench.task.process(1)
    if (next === 'lost') {
      await bench.crash()
      bench.task.process(1)
    }
    if (next === 'commit' || next === 'crash') await bench.commit()
    if (next === 'crash') await bench.crash()
  }
  await bench.commit()
  return bench
}

describe('a table whose rows have a time to live', () => {
  for (const [name, topologyOf, fold] of [
    ['table', expiring, undefined],
    ['aggregation', aggregating, (sum: string, value: string) => `${sum}${value}`]
  ] as const) {
    it(`is, as a ${name}, what the model says, change by change, with commits and crashes anywhere`, async () => {
      await fc.assert(
        fc.asyncProperty(records, async (given) => {
          const bench = await run(topologyOf('changes'), given)
          const model = new Model(fold)
          for (const { next, ...record } of given) {
            if (next === 'lost') model.commit()
            model.take(record)
            if (next === 'commit' || next === 'crash') model.commit()
          }
          model.commit()
          expect(bench.output().map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual(model.changes)
          for (const key of ['a', 'b', 'c', 'd'])
            expect(bench.stores.keyValue('rows').get(key)).toEqual(model.rows.get(key))
        }),
        { numRuns: 300 }
      )
    })

    it(`ends, as a ${name}, with the same rows whenever it commits, and with emit 'commit' too`, async () => {
      await fc.assert(
        fc.asyncProperty(records, async (given) => {
          const seldom = await run(
            topologyOf('changes'),
            given.map((record) => ({ ...record, next: 'nothing' }))
          )
          for (const topology of [topologyOf('changes'), topologyOf('commit')]) {
            const often = await run(topology, given)
            for (const key of ['a', 'b', 'c', 'd']) {
              expect(often.stores.keyValue('rows').get(key)).toEqual(seldom.stores.keyValue('rows').get(key))
              const last = (bench: TaskBench) => bench.output().findLast((change) => change.key === key)?.value ?? null
              expect(last(often)).toEqual(last(seldom))
            }
          }
        }),
        { numRuns: 100 }
      )
    })
  }

  it('goes by the stream time of the task: records of other topics make rows old too', async () => {
    const topology = defineTopology('joined', (b) => {
      const rows = b.table('in', { ...text, ttl: '10ms' })
      b.stream('clicks', text)
        .leftJoin(rows, (click, row) => `${click}-${row}`, { value: string() })
        .to('joined')
      rows.toStream().to('out')
    })
    const bench = await TaskBench.open(topology)
    bench.feed('in', [{ key: 'k', value: 'row', timestamp: 100 }])
    bench.feed('clicks', [
      { key: 'k', value: 'a', timestamp: 109 },
      { key: 'k', value: 'b', timestamp: 110 },
      { key: 'k', value: 'c', timestamp: 105 }
    ])
    bench.task.process(10)
    await bench.commit()
    const of = (topic: string) => bench.output().filter((record) => record.topic === topic)
    // Over at once for those who look, though the deletion is sent with the commit.
    expect(of('joined').map(({ value }) => value)).toEqual(['a-row', 'b-null', 'c-null'])
    expect(of('out').map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['row', 100],
      [null, 110]
    ])
  })

  it('takes what it held out of what is made of it', async () => {
    const topology = defineTopology('grouped', (b) => {
      b.table('in', { ...text, ttl: '10ms' })
        .groupBy((value) => value)
        .count({ emit: 'changes', store: 'counts' })
    })
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    await input.pipe('a', 'red', 0)
    await input.pipe('b', 'red', 5)
    expect(driver.store<string, number>('counts').get('red')?.value).toBe(2)
    await input.pipe('c', 'blue', 12)
    expect(driver.store<string, number>('counts').get('red')?.value).toBe(1)
    await input.pipe('c', 'blue', 20)
    expect(driver.store<string, number>('counts').get('red')?.value ?? 0).toBe(0)
  })

  it('says so in its description, is not called unbounded, and refuses what it cannot be', () => {
    expect(formatTopology(expiring('changes'))).toContain('table in rows, emits changes, rows live 10ms')
    expect(formatTopology(aggregating('changes'))).toContain('reduce in rows, emits changes, rows live 10ms')
    expect(lintTopology(expiring('changes')).map(({ rule }) => rule)).not.toContain('unbounded-state')
    const both = () =>
      defineTopology('both', (b) => {
        b.table('in', { ...text, ttl: '1h', history: '1h' })
      })
    expect(both).toThrow(/history has no time to live/)
  })

  it('has its rows, and their ages, from the changelog after a restart', async () => {
    const log = await openLog('memory:')
    const topology = defineTopology('restored', (b) => {
      b.table('in', { ...text, ttl: '10s', store: 'rows' })
        .toStream()
        .to('out')
    })
    const producer = log.producer()
    const produce = async (...records: (readonly [string, number])[]) => {
      for (const [key, timestamp] of records) producer.enqueue('in', 0, Buffer.from(key), Buffer.from(key), timestamp)
      await producer.flush()
    }
    const first = await runStreams(topology, { log, commitInterval: '10ms' })
    await first.running
    await produce(['a', 1_000], ['b', 2_000], ['c', 8_000], ['a', 9_000])
    await firstValueFrom(
      first
        .store('rows')
        .watch('c')
        .pipe(filter(({ value }) => value === 'c'))
    )
    await first.close()
    const second = await runStreams(topology, { log, commitInterval: '10ms' })
    await second.running
    const gone = firstValueFrom(
      second
        .store('rows')
        .watch('b')
        .pipe(filter(({ value }) => value === undefined))
    )
    await produce(['d', 12_500])
    await gone
    const left: string[] = []
    for await (const { key } of second.store<string, string>('rows').all()) left.push(key)
    expect(left).toEqual(['a', 'c', 'd'])
    await second.close()
    // The tombstone is on the changelog too: a third life does not see the row.
    const third = await runStreams(topology, { log, commitInterval: '10ms' })
    expect(await third.store('rows').get('b')).toBeUndefined()
    await third.close()
    await producer.close()
    await log.close()
  })
})
