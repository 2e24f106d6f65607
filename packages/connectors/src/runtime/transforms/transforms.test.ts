import { json, LateEmissionError, StatefulPipeError, string } from '@millrace/streams'
import { bufferCount, delay, filter, map, mergeMap, of } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { operators } from './operators.ts'
import { dropTombstones, keyFrom, mapValue, route } from './record-transforms.ts'
import { chainTransforms, type TransformRecord } from './transform.ts'
import { NotAChangeEventError, unwrapDebezium } from './unwrap-debezium.ts'

function record(value: unknown, topic = 'server.public.orders'): TransformRecord {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return { topic, key: Buffer.from('k'), value: value === null ? null : Buffer.from(text), timestamp: 1, headers: [] }
}
const valuesOf = (records: readonly TransformRecord[]) =>
  records.map(({ value }) => (value === null ? null : String(value)))

describe('transforms', () => {
  it('run one after the other, each on what the one before gives', () => {
    const twice = (one: TransformRecord) => [one, { ...one, value: null }]
    const chain = chainTransforms([twice, dropTombstones(), route(() => 'there')])
    expect(chain?.(record({ a: 1 })).map(({ topic }) => topic)).toEqual(['there'])
    expect(chainTransforms([])).toBeUndefined()
  })

  it('route by a pattern that matches the whole name', () => {
    const short = route(/server\.public\.(.*)/, '$1')
    expect(short(record(1))).toMatchObject({ topic: 'orders' })
    expect(short(record(1, 'other.server.public.orders'))).toMatchObject({ topic: 'other.server.public.orders' })
  })

  it('change decoded values and take keys from them', () => {
    const one = mapValue(json<{ n: number }>(), ({ n }) => (n > 1 ? { n: n + 1 } : null))
    expect(valuesOf(chainTransforms([one])?.(record({ n: 2 })) ?? [])).toEqual(['{"n":3}'])
    expect(valuesOf(chainTransforms([one])?.(record({ n: 1 })) ?? [])).toEqual([null])
    expect(keyFrom(json<{ id: string }>(), string(), ({ id }) => id)(record({ id: 'x' }))).toMatchObject({
      key: Buffer.from('x')
    })
  })

  it('take operators of RxJS that remember nothing and wait for nothing', () => {
    const twice = operators(
      filter(({ value }) => value !== null),
      mergeMap((one) => of(one, one)),
      map((one) => ({ ...one, topic: 'piped' }))
    )
    expect(twice(record('a'))).toMatchObject([{ topic: 'piped' }, { topic: 'piped' }])
    expect(twice(record(null))).toEqual([])
    expect(() => operators(delay(1))(record('a'))).toThrow(LateEmissionError)
    expect(() =>
      operators(
        bufferCount(2),
        mergeMap((pair) => of(...pair))
      )(record('a'))
    ).toThrow(StatefulPipeError)
  })
})

describe('unwrapDebezium', () => {
  const event = (op: string, before: unknown, after: unknown) =>
    record({ before, after, op, source: { lsn: 7 }, ts_ms: 0 })
  const run = (given: TransformRecord, options?: Parameters<typeof unwrapDebezium>[0]) =>
    valuesOf(chainTransforms([unwrapDebezium(options)])?.(given) ?? [])

  it('gives the row after the change', () => {
    for (const op of ['c', 'r', 'u']) expect(run(event(op, null, { id: 1 }))).toEqual(['{"id":1}'])
    expect(run(record({ schema: {}, payload: { op: 'c', after: { id: 1 } } }))).toEqual(['{"id":1}'])
    expect(run(event('t', null, null))).toEqual([])
  })

  it('keeps integers that a number cannot hold', () => {
    expect(run(record('{"op":"c","after":{"id":9007199254740993}}'))).toEqual(['{"id":9007199254740993}'])
  })

  it('treats deletes as asked', () => {
    const deletion = event('d', { id: 1 }, null)
    expect([run(deletion), run(record(null))]).toEqual([[], [null]])
    expect([run(deletion, { deletes: 'drop' }), run(record(null), { deletes: 'drop' })]).toEqual([[], []])
    expect(run(deletion, { deletes: 'rewrite' })).toEqual(['{"id":1,"__deleted":true}'])
    expect(run(record(null), { deletes: 'rewrite' })).toEqual([])
  })

  it('adds fields of the envelope', () => {
    const addFields = ['op', 'source.lsn', 'source.none']
    expect(run(event('u', null, { id: 1 }), { addFields })).toEqual([
      '{"id":1,"__op":"u","__source_lsn":7,"__source_none":null}'
    ])
  })

  it('refuses what is no change event', () => {
    expect(() => run(record({ id: 1 }))).toThrow(NotAChangeEventError)
  })
})
