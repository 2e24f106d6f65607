import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, openLog } from '@millrace/log'
import { type Benchmark, type BenchmarkResult, checkEqual, Span } from './benchmark.ts'

const RECORDS = 4_000_000
const VALUE_BYTES = 100
const BATCH_RECORDS = 1000
const IN_FLIGHT_BATCHES = 5

/** Produces batches of 1,000 records of 100 bytes, each acknowledged after an fsync that covers it. */
export const produce: Benchmark = {
  name: 'produce',
  what: 'embedded produce on disk, batches of 1,000 x 100 B, acks=all, fsync',
  budget: 1_000_000,
  run: () =>
    onDisk(async (log) => {
      const result = await produceAll(log, RECORDS)
      checkEqual('records on the log', await endOffset(log), RECORDS)
      return result
    })
}

/** Consumes what `produce` wrote, looking at every value. */
export const consume: Benchmark = {
  name: 'consume',
  what: 'embedded consume from disk, every value touched',
  budget: 2_000_000,
  run: () =>
    onDisk(async (log) => {
      await produceAll(log, RECORDS)
      return consumeAll(log)
    })
}

async function onDisk<T>(use: (log: Log) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const log = await openLog(`file:${directory}`)
    try {
      const admin = log.admin()
      await admin.createTopics([{ name: 'bench', partitions: 1 }])
      await admin.close()
      return await use(log)
    } finally {
      await log.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function produceAll(log: Log, records: number): Promise<BenchmarkResult> {
  const value = Buffer.alloc(VALUE_BYTES, 'v')
  const recordBytes = VALUE_BYTES + 10
  const producer = log.producer({ batchBytes: BATCH_RECORDS * recordBytes, lingerMs: 5 })
  const span = new Span()
  for (let sent = 0; sent < records; ) {
    const until = Math.min(records, sent + BATCH_RECORDS * IN_FLIGHT_BATCHES)
    for (; sent < until; sent++) producer.enqueue('bench', 0, null, value, 1_700_000_000_000 + (sent & 0xfff))
    await producer.flush()
  }
  const result = span.end('produce', records, { valueBytes: VALUE_BYTES, fsync: 'always', acks: 'all' })
  await producer.close()
  return result
}

async function consumeAll(log: Log): Promise<BenchmarkResult> {
  const consumer = log.consumer()
  consumer.assign([{ topic: 'bench', partition: 0 }])
  consumer.seek({ topic: 'bench', partition: 0 }, 0)
  let records = 0
  let bytes = 0
  const span = new Span()
  while (records < RECORDS) {
    for (const fetched of await consumer.poll(1000)) {
      for (const batch of fetched.batches) {
        const cursor = batch.records()
        while (cursor.next()) {
          records++
          bytes += cursor.buffer[cursor.valueStart] === 0x76 ? cursor.valueEnd - cursor.valueStart : 0
        }
      }
    }
  }
  const result = span.end('consume', records, { valueBytes: VALUE_BYTES })
  checkEqual('bytes of all values', bytes, RECORDS * VALUE_BYTES)
  await consumer.close()
  return result
}

async function endOffset(log: Log): Promise<number> {
  const consumer = log.consumer()
  const ends = await consumer.endOffsets([{ topic: 'bench', partition: 0 }], 'read_committed')
  await consumer.close()
  return ends.get('bench-0') ?? -1
}
