import { describe, expect, it } from 'vitest'
import type { LeaderPartition } from '../partition/leader-partition.ts'
import { batchOf, partitionFixture } from '../partition/partition-fixture.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { BatchField } from '../wire/batch/header.ts'
import { crc32c } from '../wire/crc32c.ts'
import { defaultBrokerConfig } from './broker-config.ts'
import { CleanerJob } from './cleaner-job.ts'
import type { BrokerEvent } from './event.ts'

const COMPACT = { 'cleanup.policy': 'compact', 'segment.bytes': '1024' }

/** Partitions in log directories of their own, and the job over them. */
function running() {
  const world = new SimulatedWorld({ seed: 1 })
  const { environment } = world.machine('a')
  const partitions: LeaderPartition[] = []
  const events: BrokerEvent[] = []
  const open = async (name: string, config: Readonly<Record<string, string>> = COMPACT) => {
    const fixture = partitionFixture({ environment, config, logDirectory: `/${name}` })
    const partition = await world.run(fixture.open())
    partitions.push(partition)
    return partition
  }
  const job = new CleanerJob({
    ...environment,
    config: defaultBrokerConfig,
    partitions: () => partitions,
    report: (event) => events.push(event)
  })
  return { world, partitions, events, job, open }
}

async function write(world: SimulatedWorld, partition: LeaderPartition, batches: number): Promise<void> {
  for (let i = 0; i < batches; i++) partition.append(batchOf([`${i} ${'x'.repeat(200)}`]), 'client')
  await world.run(partition.whenCommitted(partition.logEndOffset - 1))
  await world.runFor(50)
}

describe('the cleaner job', () => {
  it('compacts what is due, the dirtiest first, and shows what it did', async () => {
    const { world, events, job, open } = running()
    const first = await open('first')
    await write(world, first, 20)
    await world.run(job.run())
    await write(world, first, 60)
    const second = await open('second')
    await write(world, second, 20)
    await write(world, await open('third', { 'cleanup.policy': 'delete', 'segment.bytes': '1024' }), 20)
    expect(job.status().map(({ due, dirtyRatio }) => ({ due, isWhole: dirtyRatio === 1 }))).toEqual([
      { due: 'dirty ratio', isWhole: true },
      { due: 'dirty ratio', isWhole: false }
    ])
    await world.run(job.run())
    const runs = events.map((event) => (event.kind === 'compacted' ? event.run.recordsRead : event.kind))
    expect(runs).toHaveLength(3)
    expect(runs[1]).toBeLessThan(Number(runs[2]))
    expect(second.cleaner.lastRun?.recordsRead).toBe(runs[1])
    expect(job.status()).toMatchObject([
      { due: undefined, dirtyBytes: 0, lastRun: { interrupted: false, rounds: 1 } },
      { due: undefined, dirtyBytes: 0, lastRun: { interrupted: false, rounds: 1 } }
    ])
    await world.run(job.run())
    expect(events).toHaveLength(3)
  })

  it('says once that a partition cannot be compacted, and goes on with the others', async () => {
    const { world, partitions, events, job } = running()
    const { environment } = world.machine('a')
    const fixture = partitionFixture({ environment, logDirectory: '/bad', config: { 'segment.bytes': '1024' } })
    const writable = await world.run(fixture.open())
    const broken = batchOf(['value'])
    broken[61] = 0x7f
    broken.writeUInt32BE(crc32c(broken, BatchField.attributes), BatchField.crc)
    writable.append(broken, 'client')
    await write(world, writable, 20)
    await world.run(writable.close())
    const bad = await world.run(fixture.open({ config: COMPACT }))
    const good = await world.run(partitionFixture({ environment, logDirectory: '/good', config: COMPACT }).open())
    await write(world, good, 20)
    partitions.push(bad, good)
    for (let round = 0; round < 2; round++) await world.run(job.run())
    expect(events.map(({ kind }) => kind)).toEqual(['uncleanable', 'compacted'])
    expect(job.status().map(({ uncleanable }) => uncleanable?.offset)).toEqual([0, undefined])
  })

  it('ends soon when it is stopped', async () => {
    const { world, events, job, open } = running()
    await write(world, await open('first'), 200)
    await write(world, await open('second'), 200)
    const run = job.run()
    await world.runFor(0.01)
    await world.run(job.stop())
    await world.run(run)
    expect(events).toMatchObject([{ kind: 'compacted', run: { interrupted: true } }])
  })
})
