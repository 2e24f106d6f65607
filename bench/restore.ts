import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, openLog } from '@millrace/log'
import { defineTopology, long, runStreams, string } from '@millrace/streams'
import { type Benchmark, type BenchmarkResult, checkEqual, Span } from './benchmark.ts'

const KEYS = 1_000_000
const CHANGELOG = 'restore-bench-counts-changelog'

const topology = defineTopology('restore-bench', (b) => {
  b.stream('input', { key: string(), value: long() })
    .groupByKey()
    .reduce((value) => value, { store: 'counts' })
})

/** Rebuilds a store on classic-level from its changelog, keys in random and in sorted order. */
export const restore: Benchmark = {
  name: 'restore',
  what: 'restore one store of 1,000,000 keys from its changelog into classic-level',
  budget: 200_000,
  run: async () => [await restoreOnce('random'), await restoreOnce('sorted')]
}

async function restoreOnce(order: 'random' | 'sorted'): Promise<BenchmarkResult> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const log = await openLog(`file:${directory}`)
    try {
      await writeChangelog(log, order)
      return await measure(log, order)
    } finally {
      await log.close()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function writeChangelog(log: Log, order: 'random' | 'sorted'): Promise<void> {
  const admin = log.admin()
  await admin.createTopics([{ name: 'input', partitions: 1 }])
  await admin.createTopics([{ name: CHANGELOG, partitions: 1, configs: { 'cleanup.policy': 'compact' } }])
  await admin.close()
  const producer = log.producer({ lingerMs: 5 })
  for (let i = 0; i < KEYS; i++) {
    const number = order === 'sorted' ? i : shuffled(i)
    producer.enqueue(CHANGELOG, 0, keyOf(number), long().encode(number), 1_700_000_000_000)
    if (i % 50_000 === 0) await producer.flush()
  }
  await producer.close()
}

async function measure(log: Log, order: string): Promise<BenchmarkResult> {
  const span = new Span()
  let restored = 0
  const app = await runStreams(topology, { log })
  app.restore$.subscribe((progress) => {
    restored = Math.max(restored, progress.records)
  })
  await app.running
  const result = span.end(`restore ${order}`, KEYS, { order, engine: 'classic-level' })
  checkEqual('records restored', restored, KEYS)
  const store = app.store<string, number>('counts')
  for (let i = 0; i < KEYS; i += 9973) checkEqual(`value of key ${i}`, (await store.get(keyOf(i).toString())) ?? -1, i)
  let entries = 0
  for await (const entry of store.all()) entries += entry.value === undefined ? 0 : 1
  checkEqual('keys in the store', entries, KEYS)
  await app.close()
  return result
}

/** A bijection on [0, KEYS): 2,654,435,761 is prime to it. */
function shuffled(i: number): number {
  return Number((BigInt(i) * 2_654_435_761n) % BigInt(KEYS))
}

function keyOf(i: number): Buffer {
  return Buffer.from(`key-${String(i).padStart(8, '0')}`)
}
