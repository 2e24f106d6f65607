import { describe, expect, expectTypeOf, it } from 'vitest'
import { nullable } from '../../serde/custom.ts'
import { string } from '../../serde/string.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'
import type { KStream } from '../k-stream.ts'

const text = { key: string(), value: string() }

describe('split', () => {
  it('sends a record to the first branch that takes it, the rest to the default', async () => {
    const asked: string[] = []
    const topology = defineTopology('split', (b) => {
      const { long, a, rest } = b.stream('in', text).split(
        {
          long: (value) => value.length > 3,
          a: (value) => {
            asked.push(value)
            return value.startsWith('a')
          }
        },
        { default: 'rest' }
      )
      long.to('long')
      a.to('a')
      rest.to('rest')
    })
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    for (const value of ['abcd', 'ab', 'xy', 'wxyz']) await input.pipe('k', value, 0)
    expect(driver.output('long').readValues()).toEqual(['abcd', 'wxyz'])
    expect(driver.output('a').readValues()).toEqual(['ab'])
    expect(driver.output('rest').readValues()).toEqual(['xy'])
    expect(asked).toEqual(['ab', 'xy'])
  })

  it('drops what no branch takes when there is no default', async () => {
    const topology = defineTopology('split', (b) => {
      b.stream('in', text)
        .split({ a: (value) => value.startsWith('a') })
        .a.to('a')
    })
    const driver = await TopologyTestDriver.open(topology)
    for (const value of ['x', 'a']) await driver.input<string, string>('in').pipe('k', value, 0)
    expect(driver.topics()).toEqual(['in', 'a'])
  })

  it('calls what is below a branch after the branch', () => {
    const topology = defineTopology('split', (b) => {
      const { odd, even } = b
        .stream('clicks', text)
        .split({ odd: (value) => value.length % 2 === 1 }, { default: 'even' })
      odd.groupByKey().count()
      even.groupByKey().count()
    })
    expect(topology.stores.map(({ name }) => name)).toEqual(['clicks-odd-count', 'clicks-even-count'])
    expect(topology.subtopologies).toHaveLength(1)
  })

  it('repartitions below a branch when the key was changed above the split', () => {
    const topology = defineTopology('split', (b) => {
      b.stream('clicks', text)
        .selectKey((value) => value)
        .split({ odd: (value) => value.length % 2 === 1 })
        .odd.groupByKey()
        .count()
    })
    expect(topology.subtopologies).toHaveLength(2)
  })

  it('narrows a branch whose predicate is a type guard', () => {
    defineTopology('split', (b) => {
      const { some, none } = b
        .stream('in', { key: string(), value: nullable(string()) })
        .split({ some: (value): value is string => value !== null }, { default: 'none' })
      expectTypeOf(some).toEqualTypeOf<KStream<string, string>>()
      expectTypeOf(none).toEqualTypeOf<KStream<string, string | null>>()
    })
  })

  it('names itself when a predicate throws', async () => {
    const topology = defineTopology('split', (b) => {
      b.stream('in', text).split({
        a: () => {
          throw new TypeError('no')
        }
      })
    })
    const driver = await TopologyTestDriver.open(topology)
    await expect(driver.input<string, string>('in').pipe('k', 'v', 0)).rejects.toMatchObject({
      code: 'STREAMS_PROCESSING',
      node: 'in-split'
    })
  })

  it('refuses no branches, two of one name, and numbers, whose order JavaScript changes', () => {
    const define = (branches: Record<string, () => boolean>, fallback?: string) => () =>
      defineTopology('split', (b) => {
        b.stream('in', text).split(branches, fallback === undefined ? {} : { default: fallback })
      })
    expect(define({})).toThrow('without branches')
    expect(define({ a: () => true }, 'a')).toThrow("two branches 'a'")
    expect(define({ 10: () => true, 9: () => true })).toThrow('give it a name')
  })
})
