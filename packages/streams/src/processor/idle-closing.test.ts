import { openLog } from '@millrace/log'
import fc from 'fast-check'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { runStreams } from '../app/run-streams.ts'
import { defineTopology } from '../dsl/define-topology.ts'
import type { KGroupedStream } from '../dsl/k-grouped-stream.ts'
import type { KTable } from '../dsl/k-table.ts'
import { sessions, sliding, tumbling } from '../dsl/windows.ts'
import { formatTopology } from '../graph/describe.ts'
import { string } from '../serde/string.ts'
import type { Windowed } from '../serde/windowed.ts'
import { type ErrorPolicies, skip } from '../task/error-policy.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }

function counting(count: (grouped: KGroupedStream<string, string>) => KTable<Windowed<string>, number>) {
  return defineTopology('counting', (b) => {
    count(b.stream('in', text).groupByKey())
      .toStream()
      .map((counted, { key }) => [`${key.key}@${key.startMs}-${key.endMs}`, `${counted}`])
      .to('out', text)
  })
}

describe('windows of a step that is idle', () => {
  it('have their results after that long by the wall clock, and what comes for them then is late', async () => {
    const late: string[] = []
    const topology = counting((grouped) =>
      grouped
        .windowedBy(tumbling({ size: 10, grace: 5 }), { onLate: (value) => late.push(value) })
        .count({ emit: 'final', idle: '30s', store: 'counts' })
    )
    expect(formatTopology(topology)).toContain('emits final or when idle for 30s')
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    const output = driver.output<string, string>('out', text)
    await input.pipe('k', 'a', 3)
    await driver.advanceWallClock(20_000)
    await input.pipe('k', 'b', 12)
    await driver.advanceWallClock(29_999)
    expect(output.readAll()).toEqual([])
    await driver.advanceWallClock(1)
    expect(output.readAll()).toEqual([
      { key: 'k@0-10', value: '1', timestamp: 3, headers: [] },
      { key: 'k@10-20', value: '1', timestamp: 12, headers: [] }
    ])
    // The time is at 25 now: 20 and the grace.
    await input.pipe('k', 'c', 19)
    expect(late).toEqual(['c'])
    expect(driver.dropped('late')).toBe(1)
    await input.pipe('k', 'd', 21)
    await driver.advanceWallClock(60_000)
    expect(output.readKeyValues()).toEqual([['k@20-30', '1']])
    // It was told once: nothing more is to come until a record does.
    await driver.advanceWallClock(600_000)
    expect(output.pending).toBe(0)
  })

  it('are sessions and sliding windows as well', async () => {
    const options = { emit: 'final', idle: '1s' } as const
    for (const [topology, expected] of [
      [
        counting((grouped) => grouped.windowedBy(sessions({ gap: 10, grace: 5 })).count(options)),
        [
          ['k@100-108', '2'],
          ['k@119-119', '1']
        ]
      ],
      [
        counting((grouped) => grouped.windowedBy(sliding({ difference: 10, grace: 5 })).count(options)),
        [
          ['k@90-100', '1'],
          ['k@98-108', '2'],
          ['k@101-111', '1'],
          ['k@109-119', '1']
        ]
      ]
    ] as const) {
      const driver = await TopologyTestDriver.open(topology)
      for (const timestamp of [100, 108, 119]) await driver.input('in').pipe('k', 'x', timestamp)
      const output = driver.output<string, string>('out', text)
      const before = output.readKeyValues()
      await driver.advanceWallClock(1_000)
      expect([...before, ...output.readKeyValues()]).toEqual(expected)
      await driver.input('in').pipe('k', 'x', 119)
      expect(driver.dropped('late')).toBeGreaterThan(0)
    }
  })

  it('are of one clock, where several streams go into them', async () => {
    const topology = defineTopology('cogrouped', (b) => {
      const [left, right] = ['left', 'right'].map((topic) => b.stream(topic, text).groupByKey())
      left
        .cogroup<string>((value, all) => `${all}${value}`)
        .cogroup(right, (value, all) => `${all}${value}`)
        .windowedBy(tumbling({ size: 10 }))
        .aggregate(() => '', { value: string(), emit: 'final', idle: '1s' })
        .toStream()
        .map((value, { key }) => [key.key, value])
        .to('out', text)
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input('left').pipe('k', 'l', 1)
    await driver.advanceWallClock(900)
    await driver.input('right').pipe('k', 'r', 2)
    await driver.advanceWallClock(900)
    expect(driver.output('out', text).pending).toBe(0)
    await driver.advanceWallClock(100)
    expect(driver.output('out', text).readKeyValues()).toEqual([['k', 'lr']])
  })

  it('is refused where windows have no final result', () => {
    expect(() => counting((grouped) => grouped.windowedBy(tumbling({ size: 10 })).count({ idle: '1s' }))).toThrow(
      /emit 'final', not 'commit'/
    )
  })

  const events = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('record' as const),
        key: fc.constantFrom('a', 'b'),
        timestamp: fc.integer({ min: 0, max: 80 })
      }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 150 }) }),
      fc.constant({ kind: 'commit' as const }),
      fc.constant({ kind: 'crash' as const })
    ),
    { maxLength: 30 }
  )

  for (const [name, policies] of [
    ['within the record', {}],
    ['guarded, at the commit', { processing: skip() }]
  ] as const satisfies readonly (readonly [string, ErrorPolicies])[]) {
    it(`have their results once, as a model says, with commits and crashes anywhere: ${name}`, async () => {
      const topology = counting((grouped) =>
        grouped.windowedBy(tumbling({ size: 10, grace: 5 })).count({ emit: 'final', idle: 100 })
      )
      await fc.assert(
        fc.asyncProperty(events, async (events) => {
          const bench = await TaskBench.open(topology, policies)
          await bench.task.waiting
          const model = { timeMs: -1, open: new Map<string, number>(), results: [] as string[], late: 0 }
          let [nowMs, lastMs, waiting] = [0, 0, true]
          const close = () => {
            for (const [window, count] of model.open) {
              const startMs = Number(window.split('@')[1])
              if (startMs + 15 > model.timeMs) continue
              model.open.delete(window)
              model.results.push(`${window}-${startMs + 10}:${count}`)
            }
          }
          for (const event of events) {
            if (event.kind === 'record') {
              const { key, timestamp } = event
              bench.feed('in', [{ key, value: 'x', timestamp }])
              bench.task.process(1)
              const startMs = timestamp - (timestamp % 10)
              model.timeMs = Math.max(model.timeMs, timestamp)
              if (startMs + 15 <= model.timeMs) model.late++
              else model.open.set(`${key}@${startMs}`, (model.open.get(`${key}@${startMs}`) ?? 0) + 1)
              lastMs = nowMs
              waiting = true
            } else if (event.kind === 'wait') {
              nowMs += event.ms
              bench.clock.advance(event.ms)
              if (bench.task.punctuationDue(nowMs)) bench.task.punctuate(nowMs)
              if (waiting && nowMs - lastMs >= 100) {
                waiting = false
                const starts = [...model.open.keys()].map((window) => Number(window.split('@')[1]))
                model.timeMs = Math.max(model.timeMs, ...starts.map((startMs) => startMs + 15))
              }
            } else {
              await bench.commit()
              if (event.kind === 'crash') {
                await bench.crash()
                await bench.task.waiting
                // What an earlier life saw counts from the start of this one.
                lastMs = nowMs
                waiting = true
              }
            }
            close()
          }
          await bench.commit()
          const results = bench.output().map(({ key, value }) => `${key}:${value}`)
          expect(results.sort()).toEqual(model.results.sort())
          expect(bench.task.dropped().reduce((sum, { counts }) => sum + counts.late, 0)).toBe(model.late)
        }),
        { numRuns: 200 }
      )
    })
  }

  it('stay closed when the application is started again', async () => {
    const log = await openLog('memory:')
    const topology = counting((grouped) =>
      grouped.windowedBy(tumbling({ size: '10s', grace: '5s' })).count({ emit: 'final', idle: '40ms', store: 'counts' })
    )
    const producer = log.producer()
    const produce = (value: string, timestamp: number) =>
      producer.send({ topic: 'in', key: Buffer.from('k'), value: Buffer.from(value), timestamp })
    const results = log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
    const next = async () => {
      for (;;) {
        for (const { batches } of await results.poll(1_000)) {
          for (const batch of batches) {
            const view = batch.records()
            if (view.next()) return view.buffer.toString('utf8', view.keyStart, view.keyEnd)
          }
        }
      }
    }
    const first = await runStreams(topology, { log, commitInterval: '10ms' })
    await first.running
    results.assign([{ topic: 'out', partition: 0 }])
    await produce('a', 1_000)
    expect(await next()).toBe('k@0-10000')
    await first.close()

    const second = await runStreams(topology, { log, commitInterval: '10ms' })
    await second.running
    const counted = firstValueFrom(second.metrics$.pipe(filter(({ droppedRecords }) => droppedRecords.late === 1)))
    await produce('b', 9_000)
    await counted
    await produce('c', 11_000)
    expect(await next()).toBe('k@10000-20000')
    await second.close()
    await results.close()
    await producer.close()
    await log.close()
  })
})
