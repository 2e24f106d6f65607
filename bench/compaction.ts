import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CleanReport, type Log, openLog } from '@millrace/log'
import { readCommitted } from '../examples/read-committed.ts'
import { type Benchmark, type BenchmarkResult, checkEqual, Span, WrongResultError } from './benchmark.ts'

const UPDATES = 10_000_000
const KEYS = 100_000
const VALUE_BYTES = 16
const FLUSH_EVERY = 50_000
const SEGMENT_BYTES = 16 * 1024 * 1024
const TOPIC = 'compacted'
/** A log that was never updated holds each key once; a compacted one may hold this many times that, with its active segment left out. */
const TOLERANCE = 1.2

/** Ten million updates of a hundred thousand keys, before and after compaction: disk and restore time follow the keys. */
export const compaction: Benchmark = {
  name: 'compaction',
  what: '10,000,000 updates of 100,000 keys: the cleaner, then disk bytes and the time to read the table back',
  budget: 1_000_000,
  run: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
    try {
      return await writeAndCompact(directory)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
}

async function writeAndCompact(directory: string): Promise<BenchmarkResult[]> {
  const expected = await write(directory)
  const before = await readBack(directory, 'read back, all updates', expected)
  const bytesBefore = logBytes(directory)
  const compacted = await compact(directory)
  const bytesAfter = logBytes(directory)
  const after = await readBack(directory, 'read back, compacted', expected)
  const activeBytes = newestSegmentBytes(directory)
  const allowed = TOLERANCE * KEYS * recordBytes() + activeBytes
  if (bytesAfter > allowed)
    throw new WrongResultError(`${bytesAfter} bytes after compaction, at most ${allowed} expected`)
  return [{ ...compacted, bytesBefore, bytesAfter, activeBytes }, before, after]
}

/** Writes the updates and returns the plain map. */
async function write(directory: string): Promise<ReadonlyMap<number, number>> {
  const expected = new Map<number, number>()
  const log = await openLog({ dir: directory, broker: { cleanerEnabled: false } })
  const admin = log.admin()
  const configs = { 'cleanup.policy': 'compact', 'segment.bytes': String(SEGMENT_BYTES) }
  await admin.createTopics([{ name: TOPIC, partitions: 1, configs }])
  await admin.close()
  const producer = log.producer({ lingerMs: 5 })
  for (let i = 0; i < UPDATES; i++) {
    const key = keyOf(i)
    const value = Buffer.alloc(VALUE_BYTES)
    value.writeUInt32BE(i)
    producer.enqueue(TOPIC, 0, keyBytes(key), value, 1_700_000_000_000)
    expected.set(key, i)
    if (i % FLUSH_EVERY === 0) await producer.flush()
  }
  await producer.close()
  await log.close()
  return expected
}

async function compact(directory: string): Promise<BenchmarkResult> {
  const span = new Span()
  let resolve: (run: CleanReport) => void = () => undefined
  const done = new Promise<CleanReport>((set) => {
    resolve = set
  })
  const log = await openLog({
    dir: directory,
    broker: { cleanerBackoffMs: 1, fileDeleteDelayMs: 0 },
    onEvent: (event) => {
      if (event.kind === 'compacted') resolve(event.run)
    }
  })
  // The cleaner's own timers keep no process alive.
  const awake = setInterval(() => undefined, 1_000)
  const run = await done
  clearInterval(awake)
  const result = span.end('compact', run.recordsRead, {
    rounds: run.rounds,
    bytesRead: run.bytesRead,
    bytesWritten: run.bytesWritten,
    recordsKept: run.recordsKept
  })
  if (run.recordsKept > KEYS) throw new WrongResultError(`${run.recordsKept} records stayed of ${KEYS} keys`)
  await log.close()
  return result
}

async function readBack(
  directory: string,
  name: string,
  expected: ReadonlyMap<number, number>
): Promise<BenchmarkResult> {
  const log: Log = await openLog({ dir: directory, broker: { cleanerEnabled: false } })
  const table = new Map<string, number>()
  let records = 0
  const span = new Span()
  await readCommitted(log, TOPIC, (key, value) => {
    records += 1
    if (key !== null && value !== null) table.set(key.toString('latin1'), value.readUInt32BE(0))
  })
  const result = span.end(name, records, { keys: table.size })
  checkEqual('keys', table.size, expected.size)
  for (const [key, value] of expected)
    checkEqual(`value of ${key}`, table.get(keyBytes(key).toString('latin1')) ?? -1, value)
  await log.close()
  return result
}

/** Every key in turn of a fixed scatter; 7,919 is prime to their number. */
function keyOf(i: number): number {
  return (i * 7_919 + Math.floor(i / KEYS) * 31) % KEYS
}

function keyBytes(key: number): Buffer {
  return Buffer.from(`key-${String(key).padStart(12, '0')}`, 'latin1')
}

function recordBytes(): number {
  return keyBytes(0).length + VALUE_BYTES + 12
}

function logSegments(directory: string): string[] {
  const partition = join(directory, `${TOPIC}-0`)
  const names = readdirSync(partition).filter((name) => name.endsWith('.log'))
  return names.sort().map((name) => join(partition, name))
}

function logBytes(directory: string): number {
  return logSegments(directory).reduce((sum, path) => sum + statSync(path).size, 0)
}

function newestSegmentBytes(directory: string): number {
  return statSync(logSegments(directory).at(-1) ?? directory).size
}
