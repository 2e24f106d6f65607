import fc from 'fast-check'
import * as rxjs from 'rxjs'
import { TestScheduler } from 'rxjs/testing'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { DurableOperator } from '../graph/durable-operator.ts'
import { json } from '../serde/json.ts'
import { number } from '../serde/number.ts'
import { string } from '../serde/string.ts'
import { TaskBench } from '../testing/task-bench.ts'
import * as durable from './index.ts'

interface Timed {
  readonly key: string
  readonly value: number
  readonly timestamp: number
}

type Emission = readonly [value: unknown, timestamp: number]

/** An operator and its namesake. */
interface Pair {
  readonly call: string
  readonly ours: DurableOperator<number, unknown>
  readonly theirs: (scheduler: TestScheduler) => rxjs.OperatorFunction<number, unknown>
}

const sum = (total: number, value: number, index: number) => 2 * total + value + index
const even = (value: number) => value % 2 === 0

const pairs: readonly Pair[] = [
  { call: 'scan(fn)', ours: durable.scan(sum), theirs: () => rxjs.scan(sum) },
  {
    call: 'scan(fn, seed)',
    ours: durable.scan((all: string, value: number, index) => `${all}${value}${index}`, '>', { value: string() }),
    theirs: () => rxjs.scan((all, value, index) => `${all}${value}${index}`, '>')
  },
  { call: 'distinctUntilChanged()', ours: durable.distinctUntilChanged(), theirs: () => rxjs.distinctUntilChanged() },
  {
    call: 'distinctUntilChanged(isEqual, keyOf)',
    ours: durable.distinctUntilChanged((left: boolean, right: boolean) => left === right, even),
    theirs: () => rxjs.distinctUntilChanged((left: boolean, right: boolean) => left === right, even)
  },
  { call: 'pairwise()', ours: durable.pairwise<number>(), theirs: () => rxjs.pairwise() },
  ...[0, 1, 3].map((n) => ({ call: `take(${n})`, ours: durable.take<number>(n), theirs: () => rxjs.take<number>(n) })),
  ...[0, 1, 3].map((n) => ({ call: `skip(${n})`, ours: durable.skip<number>(n), theirs: () => rxjs.skip<number>(n) })),
  ...[false, true].map((inclusive) => ({
    call: `takeWhile(fn, ${inclusive})`,
    ours: durable.takeWhile((value: number, index) => value > index - 1, inclusive),
    theirs: () => rxjs.takeWhile((value: number, index) => value > index - 1, inclusive)
  })),
  ...(
    [
      [1, 1],
      [2, 2],
      [3, 1],
      [3, 2],
      [2, 3],
      [1, 4]
    ] as const
  ).map(([size, every]) => ({
    call: `bufferCount(${size}, ${every})`,
    ours: durable.bufferCount<number>(size, every),
    theirs: () => rxjs.bufferCount<number>(size, every)
  })),
  ...[1, 3, 10].flatMap((ms): Pair[] => [
    {
      call: `debounceTime(${ms})`,
      ours: durable.debounceTime(ms),
      theirs: (time) => rxjs.debounceTime(ms, time)
    },
    { call: `auditTime(${ms})`, ours: durable.auditTime(ms), theirs: (time) => rxjs.auditTime(ms, time) },
    { call: `sampleTime(${ms})`, ours: durable.sampleTime(ms), theirs: (time) => rxjs.sampleTime(ms, time) },
    { call: `bufferTime(${ms})`, ours: durable.bufferTime(ms), theirs: (time) => rxjs.bufferTime(ms, time) },
    {
      call: `bufferTime(${ms}, { maxSize: 2 })`,
      ours: durable.bufferTime(ms, { maxSize: 2 }),
      theirs: (time) => rxjs.bufferTime(ms, null, 2, time)
    },
    {
      call: `bufferTime(${ms}, { empty: 'skip' })`,
      ours: durable.bufferTime(ms, { empty: 'skip' }),
      theirs: (time) =>
        rxjs.pipe(
          rxjs.bufferTime<number>(ms, time),
          rxjs.filter((list) => list.length > 0)
        )
    },
    ...[
      { leading: true, trailing: false },
      { leading: true, trailing: true },
      { leading: false, trailing: true },
      { leading: false, trailing: false }
    ].map((config) => ({
      call: `throttleTime(${ms}, ${JSON.stringify(config)})`,
      ours: durable.throttleTime<number>(ms, config),
      theirs: (time: TestScheduler) => rxjs.throttleTime<number>(ms, time, config)
    }))
  ])
]

const horizonMs = 100
/** In time order, with many records of one millisecond and keys that wait for the same one. */
const inputs = fc
  .array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), value: fc.nat(3), timestamp: fc.nat(30) }), {
    minLength: 1,
    maxLength: 25
  })
  .map((records) => records.toSorted((left, right) => left.timestamp - right.timestamp))

/** What RxJS emits for each key; its clock stops at the horizon. */
function expected({ theirs }: Pair, input: readonly Timed[]): Map<string, Emission[]> {
  const emitted = new Map<string, Emission[]>()
  const scheduler = new TestScheduler(() => {})
  scheduler.maxFrames = horizonMs - 1
  const source = new rxjs.Subject<Timed>()
  const groups = source.pipe(rxjs.groupBy(({ key }) => key))
  groups.subscribe((group) => {
    const values = group.pipe(
      rxjs.map(({ value }) => value),
      theirs(scheduler)
    )
    values.subscribe((value) => {
      const seen = emitted.get(group.key) ?? []
      emitted.set(group.key, [...seen, [value, scheduler.now()]])
    })
  })
  for (const record of input) scheduler.schedule(() => source.next(record), record.timestamp)
  scheduler.flush()
  return emitted
}

/** What the task emits, with commits and crashes after the records they are listed for. */
async function actual(
  { ours }: Pair,
  input: readonly Timed[],
  after: (index: number) => 'commit' | 'crash' | undefined
): Promise<Map<string, Emission[]>> {
  const topology = defineTopology('app', (b) => {
    b.stream('in', { key: string(), value: number() }).rx(ours, { value: json() }).to('out')
  })
  const bench = await TaskBench.open(topology)
  const all = [...input, { key: 'past the end', value: 0, timestamp: horizonMs }]
  for (const [index, { key, value, timestamp }] of all.entries()) {
    bench.feed('in', [{ key, value: number().encode(value), timestamp }])
    bench.task.process(1000)
    const then = after(index)
    if (then === 'commit') await bench.commit()
    if (then === 'crash') {
      await bench.crash()
      bench.task.process(1000)
    }
  }
  await bench.commit()
  const emitted = new Map<string, Emission[]>()
  for (const { key, value, timestamp } of bench.output()) {
    if (key === null || key === 'past the end') continue
    emitted.set(key, [...(emitted.get(key) ?? []), [JSON.parse(value ?? ''), timestamp]])
  }
  return emitted
}

describe.each(pairs.map((pair) => [pair.call, pair] as const))('%s', (_call, pair) => {
  it('emits per key what RxJS emits, at the same times', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        expect(await actual(pair, input, () => undefined)).toEqual(expected(pair, input))
      }),
      { numRuns: 60 }
    )
  })

  it('emits the same with commits and crashes between any two records', async () => {
    const ends = fc.array(fc.constantFrom('commit', 'crash', undefined), { minLength: 26, maxLength: 26 })
    await fc.assert(
      fc.asyncProperty(inputs, ends, async (input, after) => {
        expect(await actual(pair, input, (index) => after[index])).toEqual(expected(pair, input))
      }),
      { numRuns: 30 }
    )
  })
})
