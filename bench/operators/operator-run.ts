import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, openLog, partitionForKey } from '@millrace/log'
import { runStreams, type StreamsApp, type Topology } from '@millrace/streams'
import { readCommitted } from '../../examples/read-committed.ts'
import { type BenchmarkResult, checkEqual, Span } from '../benchmark.ts'

const PARTITIONS = 4
const COMMIT_INTERVAL_MS = 100
const UNFLUSHED = 20_000
const KEPT = { 'retention.ms': '-1' }

/** A record of an input, as text. */
export interface InputRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly atMs: number
}

/** One operator to measure. */
export interface OperatorCase {
  readonly name: string
  /** Records per second that are aimed at. */
  readonly budget: number
  readonly topology: Topology
  readonly topics: readonly string[]
  /** The input, the same every time. */
  records(): Iterable<InputRecord>
  /** Reads the results off the topic `results`, key by key in the order of writing; a null value takes the key out. */
  readonly decode: (key: Buffer, value: Buffer) => readonly [key: string, value: string]
  /** What must be there in the end, computed without the library. */
  expected(): ReadonlyMap<string, string>
}

/** Runs one operator over input that is on the log already, on disk and exactly once, and compares its results with the oracle's. */
export async function runOperator(operator: OperatorCase): Promise<BenchmarkResult> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const log = await openLog(`file:${directory}`)
  try {
    const records = await produce(log, operator)
    const app = await runStreams(operator.topology, {
      log,
      commitInterval: COMMIT_INTERVAL_MS,
      internalTopicConfigs: KEPT
    })
    await app.running
    const result = await caughtUp(app, { name: operator.name, records })
    await app.close()
    await check(log, operator)
    return result
  } finally {
    await log.close()
    rmSync(directory, { recursive: true })
  }
}

async function produce(log: Log, { topics, records }: OperatorCase): Promise<number> {
  const admin = log.admin()
  const wanted = [...topics, 'results']
  await admin.createTopics(wanted.map((name) => ({ name, partitions: PARTITIONS, configs: KEPT })))
  await admin.close()
  const producer = log.producer({ lingerMs: 5 })
  let count = 0
  for (const { topic, key, value, atMs } of records()) {
    const bytes = Buffer.from(key)
    producer.enqueue(topic, partitionForKey(bytes, PARTITIONS), bytes, Buffer.from(value), atMs)
    if (++count % UNFLUSHED === 0) await producer.flush()
  }
  await producer.close()
  return count
}

/**
 * Measures until everything is processed and committed. What goes through internal topics is processed again, as often as the topology has it, and a
 * commit may still be on its way into them: so nothing may have been left, and nothing have come, over two seconds. What counts is their first look.
 */
function caughtUp(
  app: StreamsApp,
  { name, records }: { readonly name: string; readonly records: number }
): Promise<BenchmarkResult> {
  const span = new Span()
  /** One a look: half of them in, half of the time has passed. */
  const rssBytes: number[] = []
  const measure = () =>
    span.end(name, records, {
      commits: app.metrics().commits,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      guarantee: 'exactly-once',
      fsync: 'always',
      threads: 1,
      rssAtHalfBytes: rssBytes[Math.floor(rssBytes.length / 2)] ?? 0,
      rssAtEndBytes: process.memoryUsage.rss()
    })
  return new Promise((resolve, reject) => {
    app.done.catch(reject)
    let measured = measure()
    let before = -1
    let quietLooks = 0
    const looking = setInterval(() => {
      const { processedRecords, lag, bufferedBytes } = app.metrics()
      if (quietLooks === 0) rssBytes.push(process.memoryUsage.rss())
      const quiet = processedRecords >= records && lag === 0 && bufferedBytes === 0 && processedRecords === before
      quietLooks = quiet ? quietLooks + 1 : 0
      before = processedRecords
      if (quietLooks <= 1) measured = measure()
      if (quietLooks < QUIET_LOOKS) return
      clearInterval(looking)
      resolve(measured)
    }, LOOK_MS)
  })
}

const LOOK_MS = 20
const QUIET_LOOKS = 100

async function check(log: Log, { name, decode, expected }: OperatorCase): Promise<void> {
  const actual = new Map<string, string>()
  const gone = Buffer.alloc(0)
  await readCommitted(log, 'results', (keyBytes, valueBytes) => {
    if (keyBytes === null) return
    const [key, value] = decode(keyBytes, valueBytes ?? gone)
    if (valueBytes === null) actual.delete(key)
    else actual.set(key, value)
  })
  const oracle = expected()
  checkEqual(`${name}: result keys`, actual.size, oracle.size)
  for (const [key, value] of oracle) checkEqual(`${name}: ${key}`, actual.get(key) ?? 'nothing', value)
}
