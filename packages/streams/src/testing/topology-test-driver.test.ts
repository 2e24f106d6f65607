import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { tumbling } from '../dsl/windows.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import type { Windowed } from '../serde/windowed.ts'
import { deadLetter, skip } from '../task/error-policy.ts'
import { TopologyTestDriver } from './topology-test-driver.ts'

interface Click {
  readonly adId: string
  readonly userId: string
  readonly at: number
}

/** The click aggregator as a user would write it. */
const clickAggregator = defineTopology('click-aggregator', (b) => {
  b.stream('clicks', { key: string(), value: json<Click>(), timestamp: (click) => click.at })
    .filter((click) => click.adId !== '')
    .groupBy((click) => click.adId)
    .windowedBy(tumbling({ size: '1m', grace: '10s' }))
    .count({ store: 'clicks-per-ad' })
    .toStream()
    .to('clicks-per-minute')
})

const click = (adId: string, at: number): Click => ({ adId, userId: 'u1', at })

describe('TopologyTestDriver', () => {
  it('runs the click aggregator: results, stores, late records', async () => {
    const driver = await TopologyTestDriver.open(clickAggregator)
    const clicks = driver.input<string, Click>('clicks')
    const counts = driver.output<Windowed<string>, number>('clicks-per-minute')
    await clicks.pipe(null, click('ad-7', 61_000))
    await clicks.pipe(null, click('ad-7', 62_000))
    await clicks.pipe(null, click('', 62_000))
    const store = driver.store<string, number>('clicks-per-ad')
    expect(store.get('ad-7', 60_000)).toEqual({ value: 2, timestamp: 62_000 })
    await clicks.pipe(null, click('ad-9', 130_000))
    await clicks.pipe(null, click('ad-7', 119_000))
    expect(counts.readAll().map(({ key, value }) => [String(key), value])).toEqual([
      ['ad-7@60000/120000', 1],
      ['ad-7@60000/120000', 2],
      ['ad-9@120000/180000', 1]
    ])
    expect(driver.dropped('late')).toBe(1)
    expect(await store.fetch('ad-9', 0, 200_000)).toEqual([
      { key: 'ad-9', windowStartMs: 120_000, value: 1, timestamp: 130_000 }
    ])
    await driver.close()
  })

  it('takes calls in their order even when nobody waits', async () => {
    const driver = await TopologyTestDriver.open(clickAggregator)
    const clicks = driver.input<string, Click>('clicks')
    const all = [1, 2, 3].map((at) => clicks.pipe(null, click('ad-7', at)))
    await Promise.all(all)
    expect(driver.output('clicks-per-minute').readValues()).toEqual([1, 2, 3])
  })

  it('reads each record once, from where the reader is', async () => {
    const driver = await TopologyTestDriver.open(clickAggregator)
    const clicks = driver.input<string, Click>('clicks')
    const [first, second] = [driver.output('clicks-per-minute'), driver.output('clicks-per-minute')]
    await clicks.pipe(null, click('ad-7', 1))
    await clicks.pipe(null, click('ad-7', 2))
    expect(first.read()).toMatchObject({ value: 1, timestamp: 1 })
    expect(first.pending).toBe(1)
    expect(first.readValues()).toEqual([2])
    expect(first.read()).toBeUndefined()
    expect(second.readValues()).toEqual([1, 2])
  })

  it('stamps records with the wall clock, which moves when told to', async () => {
    const topology = defineTopology('copy', (b) => b.stream('in', { key: string(), value: string() }).to('out'))
    const driver = await TopologyTestDriver.open(topology, { nowMs: 1_000 })
    await driver.input<string, string>('in').pipe('a', 'x')
    await driver.advanceWallClock(500)
    await driver.input<string, string>('in').pipe('a', 'y')
    expect(
      driver
        .output('out')
        .readAll()
        .map(({ timestamp }) => timestamp)
    ).toEqual([1_000, 1_500])
    expect(driver.nowMs).toBe(1_500)
  })

  it('lets one topology read what another part of it writes', async () => {
    const topology = defineTopology('two-parts', (b) => {
      const text = { key: string(), value: string() }
      b.stream('in', text).to('between')
      b.stream('between', text)
        .mapValues((value) => value.toUpperCase(), { value: string() })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', 'x', 1)
    expect(driver.output('out').readValues()).toEqual(['X'])
    expect(driver.topics()).toEqual(['in', 'between', 'out'])
  })

  it('freezes what callbacks get, so that one which changes it fails', async () => {
    const topology = defineTopology('mutating', (b) => {
      b.stream('in', { key: string(), value: json<{ tags: string[] }>() }).peek(({ tags }) => tags.push('seen'), {
        name: 'tagger'
      })
    })
    const driver = await TopologyTestDriver.open(topology)
    const piped = driver.input<string, unknown>('in').pipe('a', { tags: [] }, 1)
    await expect(piped).rejects.toMatchObject({ node: 'tagger', cause: expect.any(TypeError) })
  })

  it('freezes aggregates, which are given back with the next record', async () => {
    const topology = defineTopology('mutating', (b) => {
      const values = b.stream('in', { key: string(), value: string() }).groupByKey()
      const add = (value: string, all: string[]) => {
        all.push(value)
        return all
      }
      values.aggregate(() => [] as string[], add, { value: json<string[]>() })
    })
    const driver = await TopologyTestDriver.open(topology)
    await expect(driver.input<string, string>('in').pipe('a', 'x', 1)).rejects.toMatchObject({
      cause: expect.any(TypeError)
    })
  })

  it('takes no more records after a failure, and says so', async () => {
    const topology = defineTopology('failing', (b) => {
      b.stream('in', { key: string(), value: long() }).to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, number>('in')
    await expect(input.pipeBytes(null, Buffer.from('?'), 1)).rejects.toMatchObject({ code: 'STREAMS_DESERIALIZATION' })
    await expect(input.pipe('a', 1, 1)).rejects.toMatchObject({
      code: 'MILLRACE_USAGE',
      message: expect.stringContaining('failed')
    })
  })

  it('applies error policies', async () => {
    const topology = defineTopology('failing', (b) => {
      b.stream('in', { key: string(), value: long() }).to('out')
    })
    for (const [deserialization, dead] of [
      [skip(), 0],
      [deadLetter('dead'), 1]
    ] as const) {
      const driver = await TopologyTestDriver.open(topology, { errors: { deserialization } })
      const input = driver.input<string, number>('in')
      await input.pipeBytes(null, Buffer.from('?'), 1)
      await input.pipe('a', 1, 2)
      expect(driver.output('out').readValues()).toEqual([1])
      expect(driver.output('dead', { key: string(), value: string() }).readValues()).toEqual(dead ? ['?'] : [])
      expect(driver.skipped()).toMatchObject([{ code: 'STREAMS_DESERIALIZATION', offset: 0 }])
      expect(driver.dropped('deserialization-error')).toBe(1)
    }
  })

  it('knows the serdes of late records, of topics that a function names, and of internal ones', async () => {
    const topology = defineTopology('app', (b) => {
      const numbers = b.stream('in', { key: string(), value: string() }).mapValues(Number, { value: long() })
      numbers
        .groupByKey()
        .windowedBy(tumbling({ size: '1s' }), { onLate: { lateTo: 'late' } })
        .count()
      numbers
        .selectKey((value) => value, { key: long() })
        .repartition({ name: 'by-number' })
        .to((value) => (value > 1 ? 'many' : 'one'))
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', '2', 5_000)
    await driver.input<string, string>('in').pipe('a', '1', 1_000)
    expect(driver.output('late').readKeyValues()).toEqual([['a', 1]])
    expect(driver.output('many').readKeyValues()).toEqual([[2, 2]])
    expect(driver.output('one').readKeyValues()).toEqual([[1, 1]])
    expect(driver.output('app-by-number-repartition').readKeyValues()).toEqual([
      [2, 2],
      [1, 1]
    ])
  })

  it('says what it does not know', async () => {
    const driver = await TopologyTestDriver.open(clickAggregator)
    expect(() => driver.input('nowhere')).toThrow(/neither reads nor writes topic nowhere/)
    expect(() => driver.store('nowhere')).toThrow(/has no store nowhere: it has clicks-per-ad/)
    expect(() => driver.input('clicks').pipe(null, null, Number.NaN)).toThrow('timestamp NaN: give whole milliseconds')
    expect(() => driver.advanceWallClock(-1)).toThrow('advanceWallClock(-1): the clock goes forward')
  })
})
