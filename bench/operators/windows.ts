import {
  defineTopology,
  hopping,
  sessions,
  sliding,
  type Topology,
  tumbling,
  untilWindowCloses,
  type WindowDefinition
} from '@millrace/streams'
import { debounceTime } from '@millrace/streams/rx'
import {
  bySession,
  byWindow,
  clicks,
  closed,
  counted,
  MINUTE_MS,
  SECOND_MS,
  STATEFUL_BUDGET,
  TEXT,
  windowOf
} from './click-input.ts'
import type { InputRecord, OperatorCase } from './operator-run.ts'

function countTopology(name: string, window: Extract<WindowDefinition, { kind: 'time' }>, held: boolean): Topology {
  return defineTopology(name, (b) => {
    const table = b.stream('clicks', TEXT).groupByKey().windowedBy(window).count()
    const shown = held ? table.suppress(untilWindowCloses()) : table
    shown.toStream().to('results')
  })
}

const PANES = 30
const HOP_MS = 2 * SECOND_MS
const hoppingRecords = () => clicks(400_000, 100)

function panesOf({ key, atMs }: InputRecord): string[] {
  const last = atMs - (atMs % HOP_MS)
  return Array.from({ length: PANES }, (_, i) => `${key}@${last - i * HOP_MS}`)
}

const hoppingCase: OperatorCase = {
  name: 'hopping-30-panes',
  budget: STATEFUL_BUDGET,
  topology: countTopology('hopping-bench', hopping({ size: PANES * HOP_MS, advance: HOP_MS }), false),
  topics: ['clicks'],
  records: hoppingRecords,
  decode: byWindow,
  expected: () => counted(hoppingRecords(), panesOf)
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

const sessionRecords = () => clicks(600_000, 10_000)
const sessionCase: OperatorCase = {
  name: 'session',
  budget: STATEFUL_BUDGET,
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
  decode: bySession,
  expected: () => sessionCounts(sessionRecords())
}

const DIFFERENCE_MS = 10 * SECOND_MS

/** Timestamps by key. */
function timesByKey(records: Iterable<InputRecord>): Map<string, number[]> {
  const times = new Map<string, number[]>()
  for (const { key, atMs } of records) {
    const known = times.get(key)
    if (known) known.push(atMs)
    else times.set(key, [atMs])
  }
  return times
}

/** A window ends at each click, and one begins just after it if there is a click in it. */
function slidingCounts(records: Iterable<InputRecord>): Map<string, string> {
  const counts = new Map<string, string>()
  for (const [key, times] of timesByKey(records)) {
    const starts = new Set(times.flatMap((atMs) => [atMs - DIFFERENCE_MS, atMs + 1]))
    let first = 0
    for (const startMs of [...starts].sort((a, b) => a - b)) {
      while (first < times.length && times[first] < startMs) first++
      let last = first
      while (last < times.length && times[last] <= startMs + DIFFERENCE_MS) last++
      if (last > first) counts.set(`${key}@${startMs}`, String(last - first))
    }
  }
  return counts
}

const slidingRecords = () => clicks(400_000, 10_000)
const slidingCase: OperatorCase = {
  name: 'sliding',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('sliding-bench', (b) => {
    b.stream('clicks', TEXT)
      .groupByKey()
      .windowedBy(sliding({ difference: DIFFERENCE_MS, grace: '1m' }))
      .count()
      .toStream()
      .to('results')
  }),
  topics: ['clicks'],
  records: slidingRecords,
  decode: byWindow,
  expected: () => slidingCounts(slidingRecords())
}

const suppressRecords = () => closed(clicks(1_000_000, 2_000))
const suppressCase: OperatorCase = {
  name: 'suppress',
  budget: STATEFUL_BUDGET,
  topology: countTopology('suppress-bench', tumbling({ size: '1m' }), true),
  topics: ['clicks'],
  records: suppressRecords,
  decode: byWindow,
  expected: () =>
    counted(suppressRecords(), (record) => (record.key.startsWith('end-') ? [] : windowOf(MINUTE_MS)(record)))
}

const QUIET_MS = 10 * SECOND_MS
const debounceRecords = () => closed(clicks(400_000, 2_000))

/** The clicks that no other of their key follows within the quiet time. */
function settled(records: Iterable<InputRecord>): Map<string, string> {
  const last = new Map<string, InputRecord>()
  const results = new Map<string, string>()
  for (const record of records) {
    const before = last.get(record.key)
    if (before && record.atMs - before.atMs > QUIET_MS) results.set(before.value, before.key)
    last.set(record.key, record)
  }
  for (const [key, { value }] of last) if (!key.startsWith('end-')) results.set(value, key)
  return results
}

const debounceCase: OperatorCase = {
  name: 'debounce-time',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('debounce-bench', (b) => {
    b.stream('clicks', TEXT).rx(debounceTime(QUIET_MS)).to('results')
  }),
  topics: ['clicks'],
  records: debounceRecords,
  decode: (key, value) => [value.toString(), key.toString()],
  expected: () => settled(debounceRecords())
}

/** Operators over time. */
export const WINDOWS: readonly OperatorCase[] = [hoppingCase, sessionCase, slidingCase, suppressCase, debounceCase]
