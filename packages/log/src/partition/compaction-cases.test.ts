import { describe, expect, it } from 'vitest'
import { Pace } from '../storage/cleaner/pace.ts'
import { readCommitted } from '../testing/compaction-model.ts'
import type { SimulatedMachine } from '../testing/simulated-machine.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { type BuildOptions, RecordBatchBuilder } from '../wire/batch/batch-builder.ts'
import { BatchField } from '../wire/batch/header.ts'
import { decodeBatches, type RecordBatch } from '../wire/batch/record-batch.ts'
import { crc32c } from '../wire/crc32c.ts'
import type { LeaderPartition } from './leader-partition.ts'
import { type PartitionFixture, partitionFixture } from './partition-fixture.ts'

const DELETE_RETENTION_MS = 1_000
const CONFIG = {
  'cleanup.policy': 'compact',
  'segment.bytes': '1024',
  'index.interval.bytes': '100',
  'delete.retention.ms': String(DELETE_RETENTION_MS)
}

interface Scene {
  readonly world: SimulatedWorld
  readonly machine: SimulatedMachine
  readonly fixture: PartitionFixture
  readonly partition: LeaderPartition
}

async function scene(config: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const world = new SimulatedWorld({ seed: 1 })
  const machine = world.machine('a')
  const fixture = partitionFixture({ environment: machine.environment, config: { ...CONFIG, ...config } })
  return { world, machine, fixture, partition: await world.run(fixture.open()) }
}

function batch(records: Readonly<Record<string, string | null>>, options: BuildOptions = {}): Buffer {
  const builder = new RecordBatchBuilder()
  for (const [key, value] of Object.entries(records)) {
    builder.append(Buffer.from(key), value === null ? null : Buffer.from(value), 1_000)
  }
  return builder.build(options)
}

/** Ends the segment, so that all before may be compacted. */
async function roll({ world, partition }: Scene, key = 'filler'): Promise<void> {
  partition.append(batch({ [key]: 'x'.repeat(1_000) }), 'client')
  partition.append(batch({ [key]: 'x'.repeat(1_000) }), 'client')
  await world.run(partition.whenCommitted(partition.logEndOffset - 1))
  await world.runFor(20)
}

function clean({ world, machine, partition }: Scene, keyMapBytes = 1_000_000) {
  const { timers, clock } = machine.environment
  const pace = new Pace({ timers, clock, maxBytesPerSecond: Number.MAX_VALUE })
  return world.run(partition.cleaner.clean({ pace, keyMapBytes }))
}

function batches(partition: LeaderPartition): RecordBatch[] {
  const found: RecordBatch[] = []
  for (let offset = partition.logStartOffset; ; ) {
    const { chunks } = partition.read({ offset, maxBytes: 100_000, isolation: 'log_end' })
    if (chunks.length === 0) return found
    for (const each of chunks.flatMap((chunk) => decodeBatches(chunk))) {
      found.push(each)
      offset = each.lastOffset + 1
    }
  }
}

const keysOf = (partition: LeaderPartition) =>
  readCommitted(partition)
    .filter(({ key }) => key !== 'filler')
    .map(({ offset, key, value }) => `${offset} ${key}=${value}`)

const logFiles = ({ machine, fixture }: Scene) =>
  machine.environment.files
    .list(fixture.directory)
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.log'))

describe('compaction of a partition', () => {
  it('shows a deletion for delete.retention.ms, then forgets key and deletion', async () => {
    const s = await scene()
    s.partition.append(batch({ a: '1', b: '2' }), 'client')
    s.partition.append(batch({ a: null }), 'client')
    await roll(s)
    await clean(s)
    expect(keysOf(s.partition)).toEqual(['1 b=2', '2 a=null'])
    expect(s.partition.cleaner.backlog().due).toBeUndefined()
    await s.world.runFor(DELETE_RETENTION_MS - 50)
    await clean(s)
    expect(keysOf(s.partition)).toEqual(['1 b=2', '2 a=null'])
    await s.world.runFor(60)
    expect(s.partition.cleaner.backlog().due).toBe('delete horizon')
    await clean(s)
    expect(keysOf(s.partition)).toEqual(['1 b=2'])
    expect(s.partition.cleaner.backlog().due).toBeUndefined()
  })

  it('drops an aborted transaction at once and its marker later, the last header of its producer never while it is active', async () => {
    const s = await scene()
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true }
    const marker = { producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 1_000 }
    s.partition.append(batch({ a: 'kept' }), 'client')
    s.partition.append(batch({ a: 'aborted' }, producer), 'client')
    s.partition.appendMarker({ ...marker, commit: false })
    s.partition.append(batch({ b: 'committed', c: 'committed' }, { ...producer, baseSequence: 1 }), 'client')
    s.partition.appendMarker({ ...marker, commit: true })
    s.partition.append(batch({ b: 'newer', c: 'newer' }), 'client')
    const shape = () =>
      batches(s.partition)
        .filter(({ baseOffset }) => baseOffset < 7)
        .map((each) => `${each.baseOffset} ${each.isControl ? 'marker' : `${each.recordCount} records`}`)
    await roll(s)
    await clean(s)
    expect(shape()).toEqual(['0 1 records', '2 marker', '3 0 records', '5 marker', '6 2 records'])
    await roll(s)
    await clean(s)
    // Nothing of the aborted transaction was seen: its marker waits.
    expect(shape()).toEqual(['0 1 records', '2 marker', '3 0 records', '5 marker', '6 2 records'])
    await s.world.runFor(DELETE_RETENTION_MS + 10)
    await clean(s)
    expect(shape()).toEqual(['0 1 records', '3 0 records', '5 marker', '6 2 records'])
    expect(keysOf(s.partition)).toEqual(['0 a=kept', '6 b=newer', '7 c=newer'])

    // The header still says which batch would be a repetition, even to a start that has nothing but the log.
    await s.world.run(s.partition.close())
    for (const { name } of s.machine.environment.files.list(s.fixture.directory)) {
      if (/snapshot|summary/.test(name)) s.machine.environment.files.remove(`${s.fixture.directory}/${name}`)
    }
    const again = await s.world.run(s.fixture.open())
    const repeated = again.append(batch({ b: 'committed', c: 'committed' }, { ...producer, baseSequence: 1 }), 'client')
    expect(repeated).toMatchObject({ duplicate: true, baseOffset: 3 })
    expect(again.lastStableOffset).toBe(again.logEndOffset)
  })

  it('leaves no open transaction behind where snapshots are damaged', async () => {
    const s = await scene()
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true }
    s.partition.append(batch({ a: 'old' }, producer), 'client')
    await roll(s)
    s.partition.appendMarker({ producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 1_000, commit: true })
    s.partition.append(batch({ a: 'new' }, { ...producer, producerId: 8, transactional: false }), 'client')
    // Another epoch of the producer, so that its header is not kept.
    s.partition.append(batch({ z: '1' }, { ...producer, producerEpoch: 1, transactional: false }), 'client')
    for (let round = 0; round < 3; round++) {
      await roll(s)
      await clean(s)
      await s.world.runFor(DELETE_RETENTION_MS + 10)
    }
    expect(batches(s.partition).filter(({ isControl }) => isControl)).toHaveLength(0)
    await s.world.run(s.partition.close())
    const { files } = s.machine.environment
    const snapshots = files.list(s.fixture.directory).filter(({ name }) => name.endsWith('.snapshot'))
    for (const { name } of snapshots.slice(-2)) files.remove(`${s.fixture.directory}/${name}`)
    const again = await s.world.run(s.fixture.open())
    expect(again.lastStableOffset).toBe(again.logEndOffset)
  })

  it('needs several rounds when the keys do not fit into memory, and comes to the same', async () => {
    const results = []
    for (const keyMapBytes of [1_000_000, 900]) {
      const s = await scene()
      for (let i = 0; i < 200; i++) s.partition.append(batch({ [`key ${i % 40}`]: `value ${i}` }), 'client')
      await roll(s)
      const report = await clean(s, keyMapBytes)
      expect(report.rounds > 1).toBe(keyMapBytes === 900)
      expect(s.partition.cleaner.backlog()).toMatchObject({ dirtyBytes: 0, dirtyRatio: 0, due: undefined })
      results.push(keysOf(s.partition))
    }
    expect(results[0]).toHaveLength(40)
    expect(results[1]).toEqual(results[0])
  })

  it('makes few segments of many', async () => {
    const s = await scene()
    for (let i = 0; i < 400; i++) s.partition.append(batch({ [`key ${i % 10}`]: `value ${i}` }), 'client')
    await roll(s)
    const before = s.partition.sizeBytes
    expect(logFiles(s).length).toBeGreaterThan(20)
    const report = await clean(s)
    expect(logFiles(s).length).toBeLessThanOrEqual(5)
    expect(s.partition.sizeBytes).toBeLessThan(before / 5)
    expect(report).toMatchObject({ rounds: 1, interrupted: false, recordsKept: 11 })
    expect(s.partition.cleaner.lastRun).toEqual(report)
    expect(s.partition.maxTimestamp('read_uncommitted')).toMatchObject({ timestampMs: 1_000 })
    expect(s.fixture.damage).toEqual([])
  })

  it('goes on beside appends and reads, and gives way to deletions', async () => {
    const s = await scene()
    for (let i = 0; i < 400; i++) s.partition.append(batch({ [`key ${i % 10}`]: `value ${i}` }), 'client')
    await roll(s)
    const run = clean(s)
    await s.world.runFor(0.01)
    s.partition.append(batch({ late: 'append' }), 'client')
    expect(readCommitted(s.partition).length).toBeGreaterThan(100)
    await s.world.run(s.partition.deleteRecords(300))
    expect((await run).interrupted).toBe(true)
    expect(s.partition.logStartOffset).toBe(300)
    expect(keysOf(s.partition)).toContain(`${s.partition.logEndOffset - 1} late=append`)
    await clean(s)
    expect(keysOf(s.partition)).toHaveLength(11)
  })

  it('ends when the partition closes', async () => {
    const s = await scene()
    for (let i = 0; i < 400; i++) s.partition.append(batch({ [`key ${i % 10}`]: `value ${i}` }), 'client')
    await roll(s)
    const interrupted = clean(s)
    await s.world.runFor(0.01)
    await s.world.run(s.partition.close())
    expect((await interrupted).interrupted).toBe(true)
    expect(logFiles(s).every((name) => !name.includes('cleaned'))).toBe(true)
  })

  it('loses nothing on a full disk, and goes on when there is room', async () => {
    const s = await scene()
    for (let i = 0; i < 200; i++) s.partition.append(batch({ [`key ${i}`]: `value ${i}` }), 'client')
    await roll(s)
    const before = keysOf(s.partition)
    s.machine.disk.options = { capacityBytes: 1 }
    await expect(clean(s)).rejects.toMatchObject({ systemCode: 'ENOSPC' })
    const names = s.machine.environment.files.list(s.fixture.directory).map(({ name }) => name)
    expect(names.filter((name) => /cleaned|swap/.test(name))).toEqual([])
    expect(keysOf(s.partition)).toEqual(before)
    expect(s.partition.cleaner.uncleanable).toBeUndefined()
    s.machine.disk.options = {}
    expect((await clean(s)).interrupted).toBe(false)
    expect(keysOf(s.partition)).toEqual(before)
  })

  it('leaves a partition with a batch that cannot be decoded as it is', async () => {
    const s = await scene({ 'cleanup.policy': 'delete' })
    s.partition.append(batch({ a: '1' }), 'client')
    const broken = batch({ b: '2', c: '3' })
    broken[61] = 0x7f
    broken.writeUInt32BE(crc32c(broken, BatchField.attributes), BatchField.crc)
    s.partition.append(broken, 'client')
    await roll(s)
    await s.world.run(s.partition.close())
    const partition = await s.world.run(s.fixture.open({ config: CONFIG }))
    const before = partition.sizeBytes
    await expect(clean({ ...s, partition })).rejects.toMatchObject({ code: 'MILLRACE_UNCLEANABLE', offset: 1 })
    expect(partition.cleaner.uncleanable?.message).toMatch(/clicks-0 cannot be compacted.*offset 1 /)
    expect(partition.sizeBytes).toBe(before)
    expect(partition.cleaner.cleanedTo).toBe(0)
  })
})
