import { describe, expect, it } from 'vitest'
import { batchOf, partitionFixture, readAll } from './partition-fixture.ts'

const values = (partition: Parameters<typeof readAll>[0], from = 0) =>
  readAll(partition, from).map((record) => record.value)

describe('a partition', () => {
  it('touches no file before the first append', async () => {
    const fixture = partitionFixture()
    const partition = await fixture.open()
    expect(fixture.environment.files.exists(fixture.directory)).toBe(false)
    expect(partition.logEndOffset).toBe(0)
    await partition.close()
    expect(fixture.environment.files.exists(fixture.directory)).toBe(false)
  })

  it('shows a record once it is synced', async () => {
    const partition = await partitionFixture().open()
    const appended = partition.append(batchOf(['a', 'b']), 'client')
    expect(appended).toEqual({ baseOffset: 0, lastOffset: 1, logAppendTimeMs: -1, duplicate: false })
    expect(partition.highWatermark).toBe(0)
    expect(values(partition)).toEqual([])
    await partition.whenCommitted(1)
    expect(partition.highWatermark).toBe(2)
    expect(values(partition)).toEqual(['a', 'b'])
  })

  it('shows a record at once without fsync', async () => {
    const partition = await partitionFixture({ fsync: 'os' }).open()
    partition.append(batchOf(['a']), 'client')
    expect(values(partition)).toEqual(['a'])
  })

  it('has everything again after a clean close and after none', async () => {
    for (const close of [true, false]) {
      const fixture = partitionFixture()
      const first = await fixture.open()
      for (let index = 0; index < 50; index++) first.append(batchOf([`v${index}`]), 'client')
      await first.whenCommitted(49)
      if (close) await first.close()
      const second = await fixture.open()
      expect(second.logEndOffset).toBe(50)
      expect(second.highWatermark).toBe(50)
      expect(second.leaderEpoch).toBe(first.leaderEpoch + 1)
      expect(readAll(second).map((record) => record.offset)).toEqual(Array.from({ length: 50 }, (_, index) => index))
      expect(fixture.damage).toEqual([])
    }
  })

  it('returns whole batches that begin before the offset', async () => {
    const partition = await partitionFixture({ fsync: 'os' }).open()
    partition.append(batchOf(['a', 'b', 'c']), 'client')
    const read = partition.read({ offset: 2, maxBytes: 1, isolation: 'read_uncommitted' })
    expect(read.chunks).toHaveLength(1)
    expect(readAll(partition, 2)).toEqual([{ offset: 2, value: 'c' }])
  })

  it('reads across segments from disk', async () => {
    const fixture = partitionFixture({ config: { 'segment.bytes': '1024' }, tailBytes: 0 })
    const partition = await fixture.open()
    for (let index = 0; index < 100; index++) partition.append(batchOf([`value-${index}`]), 'client')
    await partition.whenCommitted(99)
    const logs = fixture.environment.files.list(fixture.directory).filter((entry) => entry.name.endsWith('.log'))
    expect(logs.length).toBeGreaterThan(5)
    expect(readAll(partition, 0, { maxBytes: 300 })).toEqual(readAll(partition))
    expect(readAll(partition)).toHaveLength(100)
    expect(values(partition, 57)[0]).toBe('value-57')
  })

  it('refuses offsets outside the log', async () => {
    const partition = await partitionFixture({ fsync: 'os' }).open()
    partition.append(batchOf(['a']), 'client')
    const read = (offset: number) => partition.read({ offset, maxBytes: 100, isolation: 'read_uncommitted' })
    expect(read(1).chunks).toEqual([])
    expect(() => read(2)).toThrow(/OFFSET_OUT_OF_RANGE.*clicks-0 offset 2/)
  })

  it('refuses everything after close', async () => {
    const partition = await partitionFixture().open()
    partition.append(batchOf(['a']), 'client')
    const far = partition.whenCommitted(100)
    const closed = partition.close()
    await expect(far).rejects.toMatchObject({ code: 'MILLRACE_PARTITION_CLOSED', topic: 'clicks', partition: 0 })
    await closed
    expect(() => partition.append(batchOf(['b']), 'client')).toThrow(/closed/)
  })
})

describe('an idempotent producer', () => {
  const from = (producerId: number, baseSequence: number, epoch = 0) => ({
    producerId,
    producerEpoch: epoch,
    baseSequence
  })

  it('gets the original offsets for a repeated batch', async () => {
    const partition = await partitionFixture().open()
    for (let index = 0; index < 6; index++) partition.append(batchOf(['a', 'b'], from(7, index * 2)), 'client')
    expect(partition.append(batchOf(['a', 'b'], from(7, 2)), 'client')).toEqual({
      baseOffset: 2,
      lastOffset: 3,
      logAppendTimeMs: -1,
      duplicate: true
    })
    expect(partition.logEndOffset).toBe(12)
    expect(() => partition.append(batchOf(['a', 'b'], from(7, 0)), 'client')).toThrow(/OUT_OF_ORDER_SEQUENCE_NUMBER/)
  })

  it('must go on where it was, and begin a new epoch with 0', async () => {
    const partition = await partitionFixture().open()
    partition.append(batchOf(['a'], from(7, 5)), 'client')
    expect(() => partition.append(batchOf(['a'], from(7, 7)), 'client')).toThrow(/OUT_OF_ORDER_SEQUENCE_NUMBER/)
    expect(() => partition.append(batchOf(['a'], from(7, 6, 1)), 'client')).toThrow(/OUT_OF_ORDER_SEQUENCE_NUMBER/)
    partition.append(batchOf(['a'], from(7, 0, 1)), 'client')
    expect(() => partition.append(batchOf(['a'], from(7, 6)), 'client')).toThrow(/INVALID_PRODUCER_EPOCH/)
    expect(partition.append(batchOf(['a'], from(7, 0, 1)), 'client').duplicate).toBe(true)
  })

  it('is known again after a restart', async () => {
    for (const close of [true, false]) {
      const fixture = partitionFixture()
      const first = await fixture.open()
      first.append(batchOf(['a'], from(7, 0)), 'client')
      first.append(batchOf(['b'], from(7, 1)), 'client')
      await first.whenCommitted(1)
      if (close) await first.close()
      const second = await fixture.open()
      expect(second.append(batchOf(['b'], from(7, 1)), 'client')).toMatchObject({ baseOffset: 1, duplicate: true })
      second.append(batchOf(['c'], from(7, 2)), 'client')
      expect(() => second.append(batchOf(['c'], from(7, 4)), 'client')).toThrow(/OUT_OF_ORDER/)
    }
  })
})
