import { defineTopology, string } from '@millrace/streams'
import { clicks, TEXT } from './click-input.ts'
import type { OperatorCase } from './operator-run.ts'

const BUDGET = 1_000_000
const RECORDS = 4_000_000
const KEYS = 1_000_000
const ONE_IN = 100

const records = () => clicks(RECORDS, KEYS)
const numberOf = (value: string) => Number(value.slice(value.indexOf('#') + 1))
const decode = (key: Buffer, value: Buffer) => [key.toString(), value.toString()] as const

/** One record in a hundred passes, as in Nexmark's query 2. */
const filter: OperatorCase = {
  name: 'filter',
  budget: BUDGET,
  topology: defineTopology('filter-bench', (b) => {
    b.stream('clicks', TEXT)
      .filter((value) => numberOf(value) % ONE_IN === 0)
      .to('results')
  }),
  topics: ['clicks'],
  records,
  decode,
  expected: () =>
    new Map([...records()].filter(({ value }) => numberOf(value) % ONE_IN === 0).map(({ key, value }) => [key, value]))
}

/** Every record is changed and written, as in Nexmark's query 1. */
const map: OperatorCase = {
  name: 'map',
  budget: BUDGET,
  topology: defineTopology('map-bench', (b) => {
    b.stream('clicks', TEXT)
      .mapValues((value) => `seen ${value}`, { value: string() })
      .to('results')
  }),
  topics: ['clicks'],
  records,
  decode,
  expected: () => {
    const last = new Map<string, string>()
    for (const { key, value } of records()) last.set(key, `seen ${value}`)
    return last
  }
}

/** Operators without state. */
export const STATELESS: readonly OperatorCase[] = [filter, map]
