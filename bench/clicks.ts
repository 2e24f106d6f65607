import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, openLog, partitionForKey } from '@millrace/log'
import { defineTopology, json, runStreams, string, tumbling } from '@millrace/streams'
import { readCommitted } from '../examples/read-committed.ts'
import { type Benchmark, type BenchmarkResult, checkEqual, Span } from './benchmark.ts'
import { CLICK_WORKLOAD, type ClickWorkload, countClicks, generateClicks } from './clicks-data.ts'

interface Click {
  readonly adId: string
  readonly userId: string
  readonly at: number
}

const WINDOW_MS = 60_000
const COMMIT_INTERVAL_MS = 100

const clickAggregator = defineTopology('clicks-bench', (b) => {
  b.stream('clicks', { key: string(), value: json<Click>(), timestamp: (click) => click.at })
    .groupByKey()
    .windowedBy(tumbling({ size: '1m', grace: '10s' }))
    .count({ store: 'clicks-per-ad' })
    .toStream()
    .to('clicks-per-minute')
})

/** The click aggregator on the embedded log, on disk, synced, exactly once; input already in the log. */
export const clicks: Benchmark = {
  name: 'clicks',
  what: 'click aggregator, embedded log on disk, fsync, exactly once, commit 100 ms, one thread',
  budget: 250_000,
  run: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    try {
      const log = await openLog(`file:${directory}`)
      try {
        await produceClicks(log, CLICK_WORKLOAD)
        return await aggregate(log, CLICK_WORKLOAD)
      } finally {
        await log.close()
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
}

async function produceClicks(log: Log, workload: ClickWorkload): Promise<void> {
  const admin = log.admin()
  for (const name of ['clicks', 'clicks-per-minute']) {
    await admin.createTopics([{ name, partitions: workload.partitions, configs: { 'retention.ms': '-1' } }])
  }
  const producer = log.producer({ lingerMs: 5 })
  let unflushed = 0
  for (const { ad, user, atMs } of generateClicks(workload)) {
    const key = Buffer.from(`ad-${ad}`)
    const value = Buffer.from(`{"adId":"ad-${ad}","userId":"user-${user}","at":${atMs}}`)
    producer.enqueue('clicks', partitionForKey(key, workload.partitions), key, value, atMs)
    if (++unflushed < 50_000) continue
    await producer.flush()
    unflushed = 0
  }
  await producer.close()
  await admin.close()
}

async function aggregate(log: Log, workload: ClickWorkload): Promise<BenchmarkResult> {
  let span = new Span()
  let rssAtQuarterBytes = 0
  const commitTimes: number[] = []
  const app = await runStreams(clickAggregator, {
    log,
    commitInterval: COMMIT_INTERVAL_MS,
    internalTopicConfigs: { 'retention.ms': '-1' }
  })
  await app.running
  span = new Span()
  const before = app.metrics().processedRecords
  await new Promise<void>((resolve, reject) => {
    app.done.catch(reject)
    app.metrics$.subscribe((metrics) => {
      commitTimes.push(metrics.lastCommitDurationMs)
      if (rssAtQuarterBytes === 0 && metrics.processedRecords > workload.clicks / 4) {
        rssAtQuarterBytes = process.memoryUsage.rss()
      }
      if (metrics.processedRecords >= workload.clicks && metrics.lag === 0) resolve()
    })
  })
  const commits = app.metrics().commits
  const result = span.end('clicks', workload.clicks - before, {
    commits,
    commitIntervalMs: COMMIT_INTERVAL_MS,
    commitMsMean: Math.round(commitTimes.reduce((sum, ms) => sum + ms, 0) / Math.max(1, commitTimes.length)),
    guarantee: 'exactly-once',
    fsync: 'always',
    threads: 1,
    rssAtQuarterBytes,
    rssAtEndBytes: process.memoryUsage.rss()
  })
  await app.close()
  await check(log, workload)
  return result
}

async function check(log: Log, workload: ClickWorkload): Promise<void> {
  const expected = countClicks(workload, WINDOW_MS)
  const last = new Map<string, number>()
  await readCommitted(log, 'clicks-per-minute', (key, value) => {
    if (key === null || value === null) return
    const adBytes = key.length - 8
    last.set(`${key.toString('latin1', 0, adBytes)}@${key.readBigInt64BE(adBytes)}`, Number(value.readBigInt64BE()))
  })
  checkEqual('result keys', last.size, expected.size)
  for (const [key, count] of expected) checkEqual(`count of ${key}`, last.get(key) ?? 0, count)
}
