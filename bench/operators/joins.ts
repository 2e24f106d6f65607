import { defineTopology, string } from '@millrace/streams'
import { START_MS, STATEFUL_BUDGET, TEXT } from './click-input.ts'
import type { InputRecord, OperatorCase } from './operator-run.ts'

const KEYS = 10_000
const decode = (key: Buffer, value: Buffer) => [key.toString(), value.toString()] as const

/** Records of a topic over random keys, a millisecond apart; values are numbered. */
function* numbered(
  topic: string,
  count: number,
  options: { readonly seed: number; readonly fromMs: number }
): Generator<InputRecord> {
  let seed = options.seed
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const key = `key-${Math.floor((seed / 2 ** 32) * KEYS)}`
    yield { topic, key, value: `${topic}-${i}`, atMs: START_MS + options.fromMs + i }
  }
}

/** The last value of each key. */
function latest(records: Iterable<InputRecord>): Map<string, string> {
  return new Map([...records].map(({ key, value }) => [key, value]))
}

const TABLE_ROWS = 50_000
const rows = () => numbered('table', TABLE_ROWS, { seed: 1, fromMs: 0 })
const lookups = () => numbered('stream', 1_500_000, { seed: 2, fromMs: TABLE_ROWS })

const streamTable: OperatorCase = {
  name: 'stream-table-join',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('stream-table-bench', (b) => {
    const table = b.table('table', TEXT)
    b.stream('stream', TEXT)
      .join(table, (left, right) => `${left}|${right}`, { value: string() })
      .to('results')
  }),
  topics: ['table', 'stream'],
  *records() {
    yield* rows()
    yield* lookups()
  },
  decode,
  expected: () => {
    const table = latest(rows())
    return new Map(
      [...lookups()].filter(({ key }) => table.has(key)).map(({ key, value }) => [key, `${value}|${table.get(key)}`])
    )
  }
}

const PAIRS = 400_000
const WITHIN_MS = 1_000

function* pairs(): Generator<InputRecord> {
  for (let i = 0; i < PAIRS; i++) {
    const near = i % 3 !== 0
    yield { topic: 'left', key: `key-${i}`, value: `left-${i}`, atMs: START_MS + i }
    const other = i - 500
    if (near && other >= 0) yield { topic: 'right', key: `key-${other}`, value: `right-${other}`, atMs: START_MS + i }
  }
}

const streamStream: OperatorCase = {
  name: 'stream-stream-join',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('stream-stream-bench', (b) => {
    b.stream('left', TEXT)
      .join(b.stream('right', TEXT), (left, right) => `${left}|${right}`, { within: WITHIN_MS, value: string() })
      .to('results')
  }),
  topics: ['left', 'right'],
  records: pairs,
  decode,
  expected: () => {
    const lefts = new Map([...pairs()].filter(({ topic }) => topic === 'left').map((left) => [left.key, left]))
    const joined = new Map<string, string>()
    for (const { topic, key, value, atMs } of pairs()) {
      const left = lefts.get(key)
      if (topic === 'right' && left && Math.abs(atMs - left.atMs) <= WITHIN_MS)
        joined.set(key, `${left.value}|${value}`)
    }
    return joined
  }
}

const lefts = () => numbered('left', 500_000, { seed: 3, fromMs: 0 })
const rights = () => numbered('right', 500_000, { seed: 4, fromMs: 0 })

const tableTable: OperatorCase = {
  name: 'table-table-join',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('table-table-bench', (b) => {
    b.table('left', TEXT)
      .join(b.table('right', TEXT), (left, right) => `${left}|${right}`, { value: string() })
      .toStream()
      .to('results')
  }),
  topics: ['left', 'right'],
  *records() {
    yield* lefts()
    yield* rights()
  },
  decode,
  expected: () => {
    const right = latest(rights())
    return new Map(
      [...latest(lefts())].filter(([key]) => right.has(key)).map(([key, value]) => [key, `${value}|${right.get(key)}`])
    )
  }
}

const CUSTOMERS = 1_000
const ORDERS = 200_000

/** Customers, orders that name one, and orders that change to another customer. */
function* ordersOfCustomers(): Generator<InputRecord> {
  for (let i = 0; i < CUSTOMERS; i++) {
    yield { topic: 'customers', key: `customer-${i}`, value: `name-${i}`, atMs: START_MS + i }
  }
  for (let i = 0; i < ORDERS; i++) {
    const order = i % (ORDERS / 2)
    const value = `customer-${(order * 7 + i) % CUSTOMERS}`
    yield { topic: 'orders', key: `order-${order}`, value, atMs: START_MS + CUSTOMERS + i }
  }
}

const foreignKey: OperatorCase = {
  name: 'foreign-key-join',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('foreign-key-bench', (b) => {
    b.table('orders', TEXT)
      .join(b.table('customers', TEXT), (order, customer) => `${order}|${customer}`, {
        foreignKey: (customer) => customer,
        value: string()
      })
      .toStream()
      .to('results')
  }),
  topics: ['customers', 'orders'],
  records: ordersOfCustomers,
  decode,
  expected: () => {
    const all = [...ordersOfCustomers()]
    const customers = latest(all.filter(({ topic }) => topic === 'customers'))
    const orders = latest(all.filter(({ topic }) => topic === 'orders'))
    return new Map([...orders].map(([order, customer]) => [order, `${customer}|${customers.get(customer)}`]))
  }
}

/** Joins of every kind. */
export const JOINS: readonly OperatorCase[] = [streamTable, streamStream, tableTable, foreignKey]
