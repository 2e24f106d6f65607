import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBatches, type Log, openLog, type RecordBatch } from '@millrace/log'
import { defineTopology, json, runStreams, type StoreEntry, string, type TraceStep, tumbling } from '@millrace/streams'
import { firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, expect, it } from 'vitest'

interface Click {
  readonly at: number
}

const AT = Date.UTC(2026, 0, 1, 12, 0, 30)
const WINDOW_START = Date.UTC(2026, 0, 1, 12, 0)
const CHANGELOG = 'life-clicks-per-page-changelog'

const topology = defineTopology('life', (b) => {
  b.stream('clicks', { key: string(), value: json<Click>(), timestamp: (click) => click.at })
    .groupByKey()
    .windowedBy(tumbling({ size: '1m', grace: '10s' }))
    .count({ store: 'clicks-per-page' })
    .toStream()
    .to('clicks-per-window')
})

let directory: string
let log: Log
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-life-'))
  log = await openLog(`file:${directory}`)
})
afterEach(async () => {
  await log.close()
  rmSync(directory, { recursive: true })
})

/** What is in a partition's files at this instant, whoever may see it. */
function batchesOnDisk(partition: string): RecordBatch[] {
  const path = join(directory, partition)
  if (!existsSync(path)) return []
  const files = readdirSync(path).filter((name) => name.endsWith('.log'))
  return files.flatMap((name) => [...decodeBatches(readFileSync(join(path, name)))])
}

const dataOnDisk = (partition: string) => batchesOnDisk(partition).filter((batch) => !batch.isControl)
const recordsOf = (batches: readonly RecordBatch[]) =>
  batches.flatMap((batch) => {
    const cursor = batch.records()
    const records: { key: Buffer | null; value: Buffer | null }[] = []
    while (cursor.next()) records.push({ key: cursor.key(), value: cursor.value() })
    return records
  })

async function end(topic: string, isolation: 'read_committed' | 'read_uncommitted'): Promise<number> {
  const consumer = log.consumer()
  const ends = await consumer.endOffsets([{ topic, partition: 0 }], isolation)
  await consumer.close()
  return ends.get(`${topic}-0`) ?? -1
}

it('follows one click from the producer to a watcher', async () => {
  const admin = log.admin()
  await admin.createTopics([{ name: 'clicks', partitions: 1, configs: { 'retention.ms': '-1' } }])

  // 1. Produced: in the producer's batch, not on the log.
  const producer = log.producer({ lingerMs: 60_000 })
  producer.enqueue('clicks', 0, Buffer.from('/index.html'), Buffer.from(JSON.stringify({ at: AT })), AT)
  expect(batchesOnDisk('clicks-0')).toEqual([])
  expect(await end('clicks', 'read_uncommitted')).toBe(0)

  // 2., 3. Sent and appended: one batch, as the producer made it, stamped with offset and epoch, its checksum still right.
  await producer.flush()
  const [batch] = batchesOnDisk('clicks-0')
  expect(batch).toMatchObject({ baseOffset: 0, recordCount: 1, isTransactional: false })
  expect(batch.leaderEpoch).toBeGreaterThanOrEqual(0)
  expect(recordsOf([batch])).toEqual([
    { key: Buffer.from('/index.html'), value: Buffer.from(JSON.stringify({ at: AT })) }
  ])

  // 4. Committed to the log: the acknowledgement came after the sync, and the high watermark has passed the record.
  expect(producer.lastOffset('clicks', 0)).toBe(0)
  expect(await end('clicks', 'read_committed')).toBe(1)
  await producer.close()

  // 5. to 11. happen in the application; what is on the disk is looked at the moment each step of the commit is done.
  const seen = new Map<TraceStep, { results: RecordBatch[]; changelog: RecordBatch[]; published: boolean }>()
  let published: StoreEntry<string, number> | undefined
  const app = await runStreams(topology, {
    log,
    commitInterval: '10ms',
    internalTopicConfigs: { 'retention.ms': '-1' },
    trace: (step) => {
      if (seen.has(step)) return
      const results = dataOnDisk('clicks-per-window-0')
      seen.set(step, { results, changelog: dataOnDisk(`${CHANGELOG}-0`), published: published !== undefined })
    }
  })
  app.store<string, number>('clicks-per-page').changes$.subscribe((entry) => {
    published = entry
  })
  const watched = firstValueFrom(app.store<string, number>('clicks-per-page').watch('/index.html'))
  await watched

  // 5., 6. Fetched and processed: the record was taken, and until the commit its effect was in the write buffer only.
  expect(app.metrics().processedRecords).toBe(1)
  expect(seen.get('commit:stopped')).toEqual({ results: [], changelog: [], published: false })

  // 7. Flushed: the count is on its way to the producer; no changelog record yet.
  expect(seen.get('commit:flushed')?.changelog).toEqual([])

  // 8. Logged: result and changelog are on the log, in batches of the transaction, and nothing is published.
  const logged = seen.get('commit:producer-flushed')
  expect(logged?.published).toBe(false)
  for (const batches of [logged?.results ?? [], logged?.changelog ?? []]) {
    expect(batches).toHaveLength(1)
    expect(batches[0].isTransactional).toBe(true)
  }
  const [result] = recordsOf(logged?.results ?? [])
  expect(result.key).toEqual(windowedKey('/index.html', WINDOW_START))
  expect(result.value?.readBigInt64BE()).toBe(1n)
  const [change] = recordsOf(logged?.changelog ?? [])
  expect(change.key).toEqual(Buffer.concat([windowedKey('/index.html', WINDOW_START), Buffer.alloc(4)]))

  // 9. Committed: the offset is the group's, the task's time is its metadata, and the markers stand behind the data.
  await expect.poll(async () => (await admin.listGroupOffsets('life')).get('clicks-0')?.offset).toBe(1)
  const committed = (await admin.listGroupOffsets('life')).get('clicks-0')
  expect(Buffer.from(committed?.metadata ?? '', 'base64').length).toBeGreaterThan(0)
  // The markers follow the answer to the commit, as in Kafka.
  await expect.poll(() => end('clicks-per-window', 'read_committed')).toBe(2)
  expect(batchesOnDisk('clicks-per-window-0').map(({ isControl }) => isControl)).toEqual([false, true])

  // 10. Applied: the store's engine has the count, and it is what a query reads.
  expect(seen.get('commit:state-applied')?.published).toBe(false)
  expect(await app.store<string, number>('clicks-per-page').get('/index.html')).toBe(1)

  // 11. Published.
  expect(seen.get('commit:published')?.published).toBe(true)
  expect(published).toEqual({
    key: '/index.html',
    value: 1,
    timestamp: AT,
    window: { startMs: WINDOW_START, endMs: WINDOW_START + 60_000 }
  })
  expect(await watched).toEqual(published)

  await app.close()
  await admin.close()
})

function windowedKey(page: string, startMs: number): Buffer {
  const start = Buffer.alloc(8)
  start.writeBigInt64BE(BigInt(startMs))
  return Buffer.concat([Buffer.from(page), start])
}
