import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '@millrace/log'
import { batchOf, type PartitionFixture, partitionFixture, readAll } from '@millrace/log/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { startKafka } from './peers/kafka-broker.ts'
import { kafkaJars, runKafkaTool } from './peers/kafka-jars.ts'

const jars = await kafkaJars()
const classPath = 'classPath' in jars ? jars.classPath : ''
const reason = 'missing' in jars ? ` (skipped: ${jars.missing})` : ''
const scratch = mkdtempSync(join(tmpdir(), 'millrace-formats-'))
const DUMP = 'org.apache.kafka.tools.DumpLogSegments'
const TEST_LIMIT_MS = 180_000

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.skipIf(reason !== '')(`the files of a partition${reason}`, () => {
  it('that we wrote are read by Kafka without complaint', { timeout: TEST_LIMIT_MS }, async () => {
    const directory = join(scratch, 'ours')
    const fixture = partitionFixture({
      environment: realEnvironment(),
      logDirectory: directory,
      config: { 'segment.bytes': '60000', 'index.interval.bytes': '1000' }
    })
    await writeTransactions(fixture)
    const { stdout, stderr } = await dump(fixture.directory, ['.log', '.index', '.timeindex', '.txnindex', '.snapshot'])
    expect(complaints(stdout + stderr)).toEqual([])
    const names = readdirSync(fixture.directory)
    for (const suffix of ['.log', '.index', '.timeindex', '.txnindex', '.snapshot']) {
      const files = names.filter((name) => name.endsWith(suffix))
      expect(files.length, suffix).toBeGreaterThan(1)
      for (const name of files) expect(stdout).toContain(`Dumping ${join(fixture.directory, name)}`)
    }

    const partition = await fixture.open()
    const aborted = [...stdout.matchAll(/version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+)/g)]
    expect(aborted.length).toBe(40)
    expect(kafkaOffsets(stdout)).toEqual(readAll(partition).map((record) => record.offset))
    expect(stdout).toMatch(/endTxnMarker: COMMIT coordinatorEpoch: 3/)
    expect(stdout).toMatch(
      /producerId: 9 producerEpoch: 0 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong\[\d+\]/
    )
    await partition.close()
  })

  it('that Kafka wrote are read by us', { timeout: TEST_LIMIT_MS }, async () => {
    const directory = mkdtempSync(join(scratch, 'kafka-'))
    const dataDirectory = await kafkaData(directory)
    const theirs = `${dataDirectory}/clicks-0`
    const { stdout } = await dump(theirs, ['.log', '.txnindex'])
    const topicId = /topic_id: (\S+)/.exec(readFileSync(`${theirs}/partition.metadata`, 'utf8'))?.[1] ?? ''
    const snapshot =
      readdirSync(theirs)
        .filter((name) => name.endsWith('.snapshot'))
        .at(-1) ?? ''
    const end = Number.parseInt(snapshot, 10)
    const indexes = readdirSync(theirs).filter((name) => /\.(index|timeindex|txnindex)$/.test(name))
    const before = new Map(indexes.map((name) => [name, readFileSync(`${theirs}/${name}`)]))

    const fixture = partitionFixture({ environment: realEnvironment(), logDirectory: dataDirectory, topicId })
    const partition = await fixture.open()
    expect(fixture.damage).toEqual([])
    expect(partition.logEndOffset).toBe(end)
    expect(readAll(partition).map((record) => record.offset)).toEqual(kafkaOffsets(stdout))
    const read = partition.read({ offset: 0, maxBytes: 100_000_000, isolation: 'read_committed' })
    const aborted = [...stdout.matchAll(/version: 0 producerId: (\d+) firstOffset: (\d+)/g)]
    expect(aborted.length).toBeGreaterThan(0)
    expect(read.abortedTransactions).toEqual(
      aborted.map(([, producerId, firstOffset]) => ({
        producerId: Number(producerId),
        firstOffset: Number(firstOffset)
      }))
    )
    expect(partition.lastStableOffset).toBe(end)
    await partition.close()
    // What we made again from the log is byte for byte what Kafka had written.
    const hexEntries = (name: string, bytes: Buffer) => {
      const entryBytes = name.endsWith('.index') ? 8 : name.endsWith('.timeindex') ? 12 : 34
      return Array.from({ length: bytes.length / entryBytes }, (_, index) =>
        bytes.toString('hex', index * entryBytes, (index + 1) * entryBytes)
      )
    }
    for (const [name, bytes] of before) {
      expect(hexEntries(name, readFileSync(`${theirs}/${name}`)), name).toEqual(hexEntries(name, bytes))
    }
  })
})

/** Plain, committed and aborted batches of every codec in several segments, in two lives; one transaction stays open. */
async function writeTransactions(fixture: PartitionFixture): Promise<void> {
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
  for (let life = 0; life < 2; life++) {
    const partition = await fixture.open()
    for (let round = 0; round < 200; round++) {
      const timestampMs = 1_700_000_000_000 + (life * 200 + round) * 10
      const codec = codecs[round % codecs.length]
      partition.append(batchOf(['plain'.repeat(round % 50), 'b'], { timestampMs, codec }), 'client')
      const baseSequence = 2 * (life * 200 + round)
      for (const producerId of [1, 2]) {
        const producer = { producerId, producerEpoch: 0, baseSequence, transactional: true, timestampMs }
        partition.append(batchOf([`value ${round}`, 'c'.repeat(100)], producer), 'client')
        if (round % 10 !== 9) continue
        partition.appendMarker({
          producerId,
          producerEpoch: 0,
          coordinatorEpoch: 3,
          commit: producerId === 1,
          timestampMs
        })
      }
    }
    if (life === 1) {
      const producer = {
        producerId: 9,
        producerEpoch: 0,
        baseSequence: 0,
        transactional: true,
        timestampMs: 1_800_000_000_000
      }
      partition.append(batchOf(['never ended'], producer), 'client')
    }
    await partition.close()
  }
  expect(fixture.damage).toEqual([])
}

/** Has Kafka write transactions, one of which nobody ends until it times out; its log directory after a clean shutdown. */
async function kafkaData(directory: string): Promise<string> {
  const broker = await startKafka(classPath, directory)
  const server = ['--bootstrap-server', broker.address, '--topic', 'clicks']
  await runKafkaTool(classPath, [
    'org.apache.kafka.tools.TopicCommand',
    ...[...server, '--create', '--partitions', '1', '--config', 'segment.bytes=1048576']
  ])
  const produce = ['org.apache.kafka.tools.ProducerPerformance', ...server, '--record-size', '100']
  const many = ['--num-records', '15000', '--throughput', '10000', '--transactional-id', 'committed']
  await runKafkaTool(classPath, [...produce, ...many, '--transaction-duration-ms', '100'])
  await abandonTransaction(produce)
  await runKafkaTool(classPath, [...produce, '--num-records', '10', '--throughput', '-1'])
  for (let hasAborted = false; !hasAborted; ) {
    hasAborted = readdirSync(`${broker.dataDirectory}/clicks-0`).some((name) => name.endsWith('.txnindex'))
    if (!hasAborted) await runKafkaTool(classPath, [...produce, '--num-records', '1', '--throughput', '-1'])
  }
  await broker.stop()
  return broker.dataDirectory
}

/** A producer that dies in the middle of its transaction, which the coordinator then aborts. */
async function abandonTransaction(produce: readonly string[]): Promise<void> {
  const transaction = ['--transactional-id', 'abandoned', '--transaction-duration-ms', '60000']
  const limits = ['--num-records', '100000', '--throughput', '1000', '--reporting-interval', '200']
  const options = ['--command-property', 'transaction.timeout.ms=1000']
  const child = spawn('java', ['-Xmx256m', '-cp', classPath, ...produce, ...limits, ...transaction, ...options])
  const gone = once(child, 'exit')
  for await (const chunk of child.stdout) if (String(chunk).includes('records/sec')) break
  child.kill('SIGKILL')
  await gone
}

function dump(directory: string, suffixes: readonly string[]) {
  const names = readdirSync(directory).filter((name) => suffixes.some((suffix) => name.endsWith(suffix)))
  const files = names.map((name) => `${directory}/${name}`).join(',')
  return runKafkaTool(classPath, [DUMP, '--deep-iteration', '--files', files])
}

/** Offsets of the data records that DumpLogSegments listed. */
function kafkaOffsets(output: string): number[] {
  const records = output.split('\n').filter((line) => line.startsWith('| offset:') && !line.includes('endTxnMarker'))
  return records.map((line) => Number(/offset: (\d+)/.exec(line)?.[1]))
}

/**
 * Lines in which Kafka finds fault. It says of every segment but the first, its own included, that its first offset does not follow
 * -1; that is none.
 */
function complaints(output: string): string[] {
  const lines = output.split('\n')
  return lines.filter((line, index) => {
    if (/^Non-consecutive offsets/.test(line)) return !/^\s+-1 is followed by/.test(lines[index + 1] ?? '')
    return /mismatch|invalid|corrupt|exception|error|not found|out of order|isvalid: false/i.test(line)
  })
}
