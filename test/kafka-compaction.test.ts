import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBatches, RecordBatchBuilder, realEnvironment } from '@millrace/log'
import { partitionFixture } from '@millrace/log/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { kafkaJars, runKafkaTool } from './peers/kafka-jars.ts'

const jars = await kafkaJars()
const classPath = 'classPath' in jars ? jars.classPath : ''
const reason = 'missing' in jars ? ` (skipped: ${jars.missing})` : ''
const scratch = mkdtempSync(join(tmpdir(), 'millrace-compaction-'))
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const CONFIG = { 'cleanup.policy': 'compact', 'segment.bytes': '40000', 'index.interval.bytes': '500' }
type Opened = Awaited<ReturnType<ReturnType<typeof partitionFixture>['open']>>

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.skipIf(reason !== '')(`a compacted partition${reason}`, () => {
  it('is read by Kafka without complaint: what we find, and the deletions that wait', {
    timeout: 180_000
  }, async () => {
    const fixture = partitionFixture({ environment: realEnvironment(), logDirectory: scratch, config: CONFIG })
    const partition = await fixture.open()
    write(partition)
    await partition.whenCommitted(partition.logEndOffset - 1)
    // The indexes of what is behind the active segment are written when it is synced.
    while (partition.cleaner.backlog().boundOffset === 0) await new Promise(setImmediate)
    const report = await partition.cleaner.clean({ pace: { rest: () => Promise.resolve() }, keyMapBytes: 4_000 })
    expect(report.rounds).toBeGreaterThan(1)
    const ours = read(partition)
    await partition.close()

    const suffixes = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot']
    const names = readdirSync(fixture.directory).filter((name) => suffixes.some((suffix) => name.endsWith(suffix)))
    const files = names.map((name) => `${fixture.directory}/${name}`).join(',')
    const tool = ['org.apache.kafka.tools.DumpLogSegments', '--deep-iteration', '--files', files]
    const { stdout, stderr } = await runKafkaTool(classPath, tool)
    const complaints = /mismatch|invalid|corrupt|exception|error|not found|out of order|isvalid: false/i
    expect((stdout + stderr).split('\n').filter((line) => complaints.test(line))).toEqual([])
    const records = stdout.split('\n').filter((line) => line.startsWith('| offset:') && !line.includes('endTxnMarker'))
    expect(records.map((line) => Number(/offset: (\d+)/.exec(line)?.[1]))).toEqual(ours.offsets)
    const horizons = [...stdout.matchAll(/deleteHorizonMs: OptionalLong\[(\d+)\]/g)]
    expect(horizons.length).toBe(ours.horizons)
    expect(horizons.length).toBeGreaterThan(0)
    const count = (pattern: RegExp) => stdout.split('\n').filter((line) => pattern.test(line)).length
    expect(count(/baseOffset: .* count: 0 /)).toBe(ours.emptyBatches)
    expect(ours.emptyBatches).toBeGreaterThan(0)
  })
})

/** Values and deletions of every codec; plain, committed and aborted, by producers that come back and by many that do not. */
function write(partition: Opened): void {
  for (let round = 0; round < 1_000; round++) {
    const builder = new RecordBatchBuilder()
    for (let i = 0; i < 5; i++) {
      const value = (round + i) % 6 === 0 ? null : Buffer.from(`value ${round} ${'x'.repeat(round % 50)}`)
      builder.append(Buffer.from(`key ${(round * 7 + i) % 200}`), value, 1_700_000_000_000 + round * 10)
    }
    const codec = CODECS[round % CODECS.length]
    const kind = round % 4
    if (kind === 3) {
      partition.append(builder.build({ codec }), 'client')
      continue
    }
    const producerId = kind === 0 ? 1_000 + round : kind
    const baseSequence = kind === 0 ? 0 : Math.floor(round / 4) * 5
    partition.append(
      builder.build({ codec, producerId, producerEpoch: 0, baseSequence, transactional: true }),
      'client'
    )
    const timestampMs = 1_700_000_000_000 + round * 10
    partition.appendMarker({ producerId, producerEpoch: 0, coordinatorEpoch: 3, timestampMs, commit: kind !== 2 })
  }
}

function read(partition: Opened) {
  const offsets: number[] = []
  let horizons = 0
  let emptyBatches = 0
  for (let offset = 0; ; ) {
    const { chunks } = partition.read({ offset, maxBytes: 1_000_000, isolation: 'log_end' })
    if (chunks.length === 0) return { offsets, horizons, emptyBatches }
    for (const batch of chunks.flatMap((chunk) => decodeBatches(chunk))) {
      const cursor = batch.records()
      while (!batch.isControl && cursor.next()) offsets.push(cursor.offset)
      if (batch.deleteHorizonMs !== undefined) horizons += 1
      if (batch.recordCount === 0) emptyBatches += 1
      offset = batch.lastOffset + 1
    }
  }
}
