import {
  defineTopology,
  hopping,
  sessions,
  string,
  type Topology,
  tumbling,
  untilWindowCloses,
  type WindowDefinition
} from '@millrace/streams'
import type { InputRecord, OperatorCase } from './operator-run.ts'

const START_MS = Date.UTC(2026, 0, 1)
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const TEXT = { key: string(), value: string() }

/** Clicks a key's number apart, in time order over an hour: keys `0` to `keys - 1` by a fixed skew. */
function* clicks(count: number, keys: number): Generator<InputRecord> {
  let seed = 42
  for (let i = 0; i < count; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const u = seed / 2 ** 32
    const key = `ad-${Math.floor(keys * u * u)}`
    yield { topic: 'clicks', key, value: key, atMs: START_MS + Math.floor((i / count) * 60 * MINUTE_MS) }
  }
}

/** Counts by whatever each record is in. */
function counted(
  records: Iterable<InputRecord>,
  keysOf: (record: InputRecord) => Iterable<string>
): Map<string, string> {
  const counts = new Map<string, number>()
  for (const record of records) for (const key of keysOf(record)) counts.set(key, (counts.get(key) ?? 0) + 1)
  return new Map([...counts].map(([key, count]) => [key, String(count)]))
}

const long = (value: Buffer) => (value.length === 8 ? String(value.readBigInt64BE()) : '')
const plain = (key: Buffer, value: Buffer) => [key.toString(), long(value)] as const
const inWindow = (key: Buffer, value: Buffer) => {
  const end = key.length - 8
  return [`${key.toString('utf8', 0, end)}@${key.readBigInt64BE(end)}`, long(value)] as const
}
const inSession = (key: Buffer, value: Buffer) => {
  const end = key.length - 16
  return [
    `${key.toString('utf8', 0, end)}@${key.readBigInt64BE(end + 8)}/${key.readBigInt64BE(end)}`,
    long(value)
  ] as const
}
const windowOf = (sizeMs: number) => (record: InputRecord) => [`${record.key}@${record.atMs - (record.atMs % sizeMs)}`]

function countTopology(name: string, keyed: boolean): Topology {
  return defineTopology(name, (b) => {
    const clicks = b.stream('clicks', TEXT)
    const grouped = keyed ? clicks.groupByKey() : clicks.groupBy((ad) => ad)
    grouped
      .windowedBy(tumbling({ size: '1m' }))
      .count()
      .toStream()
      .to('results')
  })
}

function clickCase(
  name: string,
  topology: Topology,
  { count, keys }: { readonly count: number; readonly keys: number },
  keysOf: (record: InputRecord) => Iterable<string>
): OperatorCase {
  const records = () => clicks(count, keys)
  return { name, topology, topics: ['clicks'], records, decode: inWindow, expected: () => counted(records(), keysOf) }
}

const LINE_WORDS = 8

function* lines(): Generator<InputRecord> {
  let line: string[] = []
  for (const click of clicks(480_000, 5_000)) {
    if (line.push(click.key) < LINE_WORDS) continue
    yield { ...click, topic: 'lines', value: line.join(' ') }
    line = []
  }
}

const wordCount: OperatorCase = {
  name: 'word count (lines)',
  topology: defineTopology('word-count-bench', (b) => {
    b.stream('lines', TEXT)
      .flatMapValues((line) => line.split(' '), { value: string() })
      .groupBy((word) => word)
      .count()
      .toStream()
      .to('results')
  }),
  topics: ['lines'],
  records: lines,
  decode: plain,
  expected: () => counted(lines(), ({ value }) => value.split(' '))
}

const SESSION_GAP_MS = 30 * SECOND_MS

/** Sessions of every key, by a walk over its clicks in time order. */
function sessionCounts(records: Iterable<InputRecord>): Map<string, string> {
  const open = new Map<string, { startMs: number; endMs: number; count: number }>()
  const counts = new Map<string, string>()
  const close = (key: string) => {
    const session = open.get(key)
    if (session) counts.set(`${key}@${session.startMs}/${session.endMs}`, String(session.count))
  }
  for (const { key, atMs } of records) {
    const session = open.get(key)
    if (session && atMs - session.endMs <= SESSION_GAP_MS) {
      session.endMs = atMs
      session.count++
    } else {
      close(key)
      open.set(key, { startMs: atMs, endMs: atMs, count: 1 })
    }
  }
  for (const key of open.keys()) close(key)
  return counts
}

const sessionRecords = () => clicks(300_000, 10_000)
const sessionCase: OperatorCase = {
  name: 'session',
  topology: defineTopology('session-bench', (b) => {
    b.stream('clicks', TEXT)
      .groupByKey()
      .windowedBy(sessions({ gap: SESSION_GAP_MS, grace: '1m' }))
      .count()
      .toStream()
      .to('results')
  }),
  topics: ['clicks'],
  records: sessionRecords,
  decode: inSession,
  expected: () => sessionCounts(sessionRecords())
}

const PANES = 30
const HOP_MS = 2 * SECOND_MS

function panesOf({ key, atMs }: InputRecord): string[] {
  const last = atMs - (atMs % HOP_MS)
  return Array.from({ length: PANES }, (_, i) => `${key}@${last - i * HOP_MS}`)
}

function windowedTopology(name: string, window: Extract<WindowDefinition, { kind: 'time' }>, held: boolean): Topology {
  return defineTopology(name, (b) => {
    const table = b.stream('clicks', TEXT).groupByKey().windowedBy(window).count()
    const shown = held ? table.suppress(untilWindowCloses()) : table
    shown.toStream().to('results')
  })
}

/** The clicks, and then one of every partition's keys so late that all windows are closed. */
function* closedClicks(): Generator<InputRecord> {
  yield* clicks(300_000, 2_000)
  for (let i = 0; i < 64; i++) {
    yield { topic: 'clicks', key: `end-${i}`, value: '', atMs: START_MS + 120 * MINUTE_MS }
  }
}

const suppressCase: OperatorCase = {
  name: 'suppress',
  topology: windowedTopology('suppress-bench', tumbling({ size: '1m' }), true),
  topics: ['clicks'],
  records: closedClicks,
  decode: inWindow,
  expected: () =>
    counted(closedClicks(), (record) => (record.key.startsWith('end-') ? [] : windowOf(MINUTE_MS)(record)))
}

/** Counts of every kind. */
export const AGGREGATIONS: readonly OperatorCase[] = [
  clickCase(
    'click count, keyed',
    countTopology('keyed-bench', true),
    { count: 600_000, keys: 10_000 },
    windowOf(MINUTE_MS)
  ),
  clickCase(
    'click count, rekeyed',
    countTopology('rekeyed-bench', false),
    { count: 600_000, keys: 10_000 },
    windowOf(MINUTE_MS)
  ),
  wordCount,
  sessionCase,
  clickCase(
    'hopping, 30 panes',
    windowedTopology('hopping-bench', hopping({ size: PANES * HOP_MS, advance: HOP_MS }), false),
    { count: 60_000, keys: 100 },
    panesOf
  ),
  suppressCase
]
