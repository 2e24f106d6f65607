import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, openLog, partitionForKey } from '@millrace/log'
import { runStreams, type StreamsApp, type Topology } from '@millrace/streams'
import { type BenchmarkResult, checkEqual, Span } from '../benchmark.ts'
import { readTopic } from '../read-topic.ts'

const PARTITIONS = 4
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
    const app = await runStreams(operator.topology, { log, internalTopicConfigs: KEPT })
    const span = new Span()
    let halfwayRssBytes = 0
    const watching = app.metrics$.subscribe(({ processedRecords }) => {
      if (halfwayRssBytes === 0 && processedRecords > records / 2) halfwayRssBytes = process.memoryUsage.rss()
    })
    const result = await caughtUp(app, records, () => {
      const endRssBytes = process.memoryUsage.rss()
      return span.end(operator.name, records, { commits: app.metrics().commits, halfwayRssBytes, endRssBytes })
    })
    watching.unsubscribe()
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
 * Resolves once everything is processed and committed. What goes through internal topics is processed again, as often as the topology has it, and a
 * commit may still be on its way into them: so nothing may have been left, and nothing have come, over several looks. Gives what was measured
 * at the first of them.
 */
function caughtUp(app: StreamsApp, records: number, measure: () => BenchmarkResult): Promise<BenchmarkResult> {
  return new Promise((resolve, reject) => {
    app.done.catch(reject)
    let measured = measure()
    let before = -1
    let quietLooks = 0
    const looking = setInterval(() => {
      const { processedRecords, lag, bufferedBytes } = app.metrics()
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

const LOOK_MS = 50
const QUIET_LOOKS = 5

async function check(log: Log, { name, decode, expected }: OperatorCase): Promise<void> {
  const actual = new Map<string, string>()
  const gone = Buffer.alloc(0)
  await readTopic(log, 'results', (keyBytes, valueBytes) => {
    if (keyBytes === null) return
    const [key, value] = decode(keyBytes, valueBytes ?? gone)
    if (valueBytes === null) actual.delete(key)
    else actual.set(key, value)
  })
  const oracle = expected()
  checkEqual(`${name}: result keys`, actual.size, oracle.size)
  for (const [key, value] of oracle) checkEqual(`${name}: ${key}`, actual.get(key) ?? 'nothing', value)
}
