import { filter, map } from 'rxjs'
import { expect, expectTypeOf, it } from 'vitest'
import type { Duration } from '../graph/duration.ts'
import { nullable } from '../serde/custom.ts'
import { json } from '../serde/json.ts'
import { number } from '../serde/number.ts'
import { string } from '../serde/string.ts'
import type { Windowed } from '../serde/windowed.ts'
import { defineTopology } from './define-topology.ts'
import type { KGroupedStream } from './k-grouped-stream.ts'
import type { KStream } from './k-stream.ts'
import type { KTable } from './k-table.ts'
import { hopping, tumbling } from './windows.ts'

/**
 * What the types allow and refuse. The compiler judges it (`npm run types`): an `@ts-expect-error` above a line that compiles is itself an
 * error. Nothing here runs.
 */
interface Click {
  adId: string
  at: number
}

declare const clicks: KStream<string, Click>
declare const grouped: KGroupedStream<string, Click>
declare const perMinute: KTable<Windowed<string>, number>

export function steps(): void {
  // @ts-expect-error windows need a grouping first
  clicks.windowedBy(tumbling({ size: '1m' }))
  // @ts-expect-error so does a count
  clicks.count()
  // @ts-expect-error and a reduce
  clicks.reduce((click) => click)
  // @ts-expect-error a stream is a stream already
  perMinute.toStream().toStream()
  // @ts-expect-error a group is no stream
  grouped.to('out')
  // @ts-expect-error nor has it records to filter
  grouped.filter(() => true)
  // @ts-expect-error a group is not grouped again
  grouped.groupByKey()
  // @ts-expect-error a table is written as a stream
  perMinute.to('out')
  // @ts-expect-error a table is not windowed
  perMinute.windowedBy(tumbling({ size: '1m' }))
  // @ts-expect-error windows are not windowed
  grouped.windowedBy(tumbling({ size: '1m' })).windowedBy(tumbling({ size: '1m' }))
  // @ts-expect-error windows are not a stream yet
  grouped.windowedBy(tumbling({ size: '1m' })).toStream()
  // @ts-expect-error a sink is an end
  clicks.to('out').filter(() => true)
  // @ts-expect-error without windows nothing is final
  grouped.count({ emit: 'final' })
  // @ts-expect-error retention is for windows
  grouped.count({ retention: '1h' })
  grouped.windowedBy(tumbling({ size: '1m' })).count({ emit: 'final', retention: '1h' })
}

export function callbacks(): void {
  clicks.filter((click, record) => click.at > record.timestamp && record.key !== '')
  // @ts-expect-error no such property
  clicks.filter((click) => click.page)
  // @ts-expect-error a predicate answers true or false
  clicks.filter((click) => click.adId)
  // @ts-expect-error a pair, not a value
  clicks.map((click) => click.adId)
  // @ts-expect-error something to iterate
  clicks.flatMapValues((click) => click.at)
  // @ts-expect-error the values of the two differ
  clicks.merge(clicks.mapValues((click) => click.at))
  // @ts-expect-error a click and a number do not make a click
  grouped.reduce((click, so) => click.at + so.at)
}

export function serdes(): void {
  const lengths = clicks.mapValues((click) => click.adId.length)
  // @ts-expect-error the new values have no serde
  lengths.to('out')
  lengths.to('out', { value: json() })
  // @ts-expect-error the serde of other values
  lengths.to('out', { value: string() })
  // @ts-expect-error the repartition has to write values
  lengths.groupBy((length) => `${length}`)
  lengths.groupBy((length) => `${length}`, { value: number() }).count()
  // @ts-expect-error nor can they be repartitioned
  lengths.repartition()
  // @ts-expect-error nor kept
  lengths.groupByKey().reduce((length, sum) => length + sum)
  lengths.groupByKey().reduce((length, sum) => length + sum, { value: number() })
  lengths.groupByKey().count()
  clicks.mapValues((click) => click.at, { value: number() }).to('out')
  // @ts-expect-error the serde of other values
  clicks.mapValues((click) => click.at, { value: string() })

  // @ts-expect-error keys that are no text need a serde
  clicks.groupBy((click) => click.at)
  clicks.groupBy((click) => click.at, { key: number() }).count()
  clicks.groupBy((click) => (click.adId === '' ? null : click.adId)).count()
  // @ts-expect-error the serde of other keys
  clicks.groupBy((click) => click.at, { key: string() })
  // @ts-expect-error keys that are no text need a serde
  clicks.selectKey((click) => click.at).groupByKey()
  clicks.selectKey((click) => click.at).groupByKey({ key: number() })
  clicks.selectKey((click) => click.at, { key: number() }).groupByKey()
  clicks.selectKey((click) => click.adId).groupByKey()
  // @ts-expect-error the new values have no serde
  clicks.map((click) => [click.adId, click.at]).to('out')
  clicks.map((click) => [click.adId, click.at], { value: number() }).to('out')
  clicks
    .map((click) => [click.at, click.at], { key: number(), value: number() })
    .groupByKey()
    .count()
  // @ts-expect-error an aggregate of another type has to be given one
  grouped.aggregate(
    () => 0,
    (click, sum) => click.at + sum
  )
  const sum = (click: Click, so: number): number => click.at + so
  // @ts-expect-error and of its own type
  grouped.aggregate(() => 0, sum, { value: string() })
  perMinute.toStream().to('out')
}

export function results(): void {
  expectTypeOf(grouped.count()).toEqualTypeOf<KTable<string, number>>()
  expectTypeOf(grouped.windowedBy(hopping({ size: '1m', advance: '1s' })).count()).toEqualTypeOf<
    KTable<Windowed<string>, number>
  >()
  expectTypeOf(clicks.groupBy((click) => click.adId)).toEqualTypeOf<KGroupedStream<string, Click>>()
  expectTypeOf(clicks.filter((click): click is Click & { at: 0 } => click.at === 0)).toEqualTypeOf<
    KStream<string, Click & { at: 0 }>
  >()
  const sums = grouped.aggregate<number | null>(
    () => 0,
    (click, sum) => (sum > 9 ? null : sum + click.at),
    { value: json() }
  )
  expectTypeOf(sums.toStream()).toEqualTypeOf<KStream<string, number | null>>()
  const pages = clicks.pipe(
    map((click) => click.adId),
    filter((page) => page !== ''),
    { value: string() }
  )
  expectTypeOf(pages).toEqualTypeOf<KStream<string, string>>()
  // @ts-expect-error the piped values have no serde
  clicks.pipe(map((click) => click.adId)).to('out')
  const page = map((click: Click) => click.adId)
  const half = map((n: number) => n / 2)
  // @ts-expect-error the second operator gets what the first gives
  clicks.pipe(page, half)
}

export function sources(): void {
  defineTopology('app', (b) => {
    b.stream('in', { key: nullable(string()), value: nullable(json<Click>()) })
      // @ts-expect-error the value may be null
      .filter((click) => click.at > 0)
    b.stream('in', { key: nullable(string()), value: nullable(json<Click>()) })
      .groupByKey()
      .reduce((click, so, record) => (record.key === '' ? null : click.at > so.at ? click : so))
    // @ts-expect-error a source needs both serdes
    b.stream('in', { key: string() })
    // @ts-expect-error a time is a number
    b.stream('in', { key: string(), value: json<Click>(), timestamp: (click) => click.adId })
  })
}

export function durations(): Duration[] {
  // @ts-expect-error no such unit
  tumbling({ size: '1y' })
  // @ts-expect-error no number
  tumbling({ size: 'one minute' })
  // @ts-expect-error a unit is needed
  hopping({ size: '1m', advance: '10' })
  return ['250ms', '10s', '1m', '6h', '7d', 1000]
}

it('is judged by the compiler', () => {
  expect(durations).toBeTypeOf('function')
})
