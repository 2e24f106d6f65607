import { describe, expect, it } from 'vitest'
import type { Environment } from '../environment/environment.ts'
import { Pace } from '../storage/cleaner/pace.ts'
import { CompactionModel, readCommitted } from '../testing/compaction-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import type { LeaderPartition } from './leader-partition.ts'
import { partitionFixture } from './partition-fixture.ts'

const SEEDS = 60
const LIVES = 4
const DELETE_RETENTION_MS = 5_000
const DIRECTORY = '/log/clicks-0'
const CONFIG = {
  'cleanup.policy': 'compact',
  'segment.bytes': '2048',
  'index.interval.bytes': '200',
  'min.cleanable.dirty.ratio': '0',
  'delete.retention.ms': String(DELETE_RETENTION_MS),
  'file.delete.delay.ms': '3'
}

describe('a compacted log', () => {
  it('keeps the last committed value of each key, whenever the power goes', { timeout: 300_000 }, async () => {
    for (let seed = 0; seed < SEEDS; seed++) await liveAndDie(seed)
  })
})

async function liveAndDie(seed: number): Promise<void> {
  const world = new SimulatedWorld({ seed })
  const machine = world.machine('a')
  const random = new SeededRandom(`compaction ${seed}`)
  const model = new CompactionModel(random)
  let environment = machine.environment
  for (let life = 0; life < LIVES; life++) {
    const where = `seed ${seed}, life ${life}`
    const fixture = partitionFixture({ environment, config: CONFIG, tailBytes: 512 })
    const opened = fixture.open()
    if (life > 0 && random.chance(0.3)) {
      // The power goes again while it recovers.
      opened.catch(() => undefined)
      await world.runFor(random.below(40) / 10)
      machine.powerCut()
      environment = machine.restart()
      continue
    }
    const partition = await world.run(opened)
    expect(
      fixture.damage.filter(({ kind }) => kind === 'rebuilt' || kind === 'unreadable' || kind === 'lost-tail'),
      where
    ).toEqual([])
    model.recovered(partition)
    await settle(world, partition)
    expect(model.differences(partition), where).toEqual([])
    await work({ world, environment, random, model, partition, where })
    if (life < LIVES - 1) {
      if (random.chance(0.2)) await world.run(partition.close())
      model.crashed(partition)
      machine.powerCut()
      environment = machine.restart()
    } else await bury({ world, environment, random, model, partition, where })
  }
}

interface Life {
  readonly world: SimulatedWorld
  readonly environment: Environment
  readonly random: SeededRandom
  readonly model: CompactionModel
  readonly partition: LeaderPartition
  readonly where: string
}

/** Appends, cleans and reads for a while; often the life ends in the middle of a run. */
async function work({ world, environment, random, model, partition, where }: Life): Promise<void> {
  for (let round = random.below(4); round >= 0; round--) {
    for (let step = random.below(50); step > 0; step--) {
      model.append(partition)
      if (random.chance(0.2)) await world.runFor(random.below(20) / 10)
    }
    if (random.chance(0.2)) await world.runFor(DELETE_RETENTION_MS)
    const run = partition.cleaner.clean(cleaning(environment, random.pick([600, 1_200, 100_000])))
    run.catch(() => undefined)
    for (let step = random.below(12); step > 0; step--) {
      if (random.chance(0.5)) model.append(partition)
      await world.runFor(random.below(30) / 10)
      if (random.chance(0.3)) expect(model.differences(partition), where).toEqual([])
    }
    if (random.chance(0.6)) {
      const report = await world.run(run)
      expect(report.interrupted, where).toBe(false)
      expect(model.differences(partition), where).toEqual([])
    }
  }
}

/** Once all is decided and the tombstones' time is up, each key has one record at most, and deleted ones none. */
async function bury({ world, environment, random, model, partition, where }: Life): Promise<void> {
  await world.run(partition.cleaner.stop())
  await world.run(partition.close())
  if (random.chance(0.5)) leaveOnlyTheLog(environment)
  const again = await world.run(partitionFixture({ environment, config: CONFIG }).open())
  expect(model.differences(again), where).toEqual([])
  model.endAll(again, true)
  const end = again.logEndOffset
  while (again.cleaner.backlog().boundOffset < end) {
    model.append(again)
    model.endAll(again, true)
    await settle(world, again)
  }
  await world.run(again.cleaner.clean(cleaning(environment, 100_000)))
  await world.runFor(DELETE_RETENTION_MS + 10)
  expect(again.cleaner.backlog().dirtyBytes, where).toBe(0)
  await world.run(again.cleaner.clean(cleaning(environment, 100_000)))
  expect(model.differences(again), where).toEqual([])
  const compacted = readCommitted(again).filter(({ offset }) => offset < again.cleaner.cleanedTo)
  const keys = compacted.map(({ key }) => key)
  expect(new Set(keys).size, where).toBe(keys.length)
  expect(
    compacted.filter(({ value }) => value === null),
    where
  ).toEqual([])
  await world.run(again.close())
}

/** Removes all that can be made again from the batches. */
function leaveOnlyTheLog({ files }: Environment): void {
  for (const { name } of files.list(DIRECTORY)) {
    if (/\.(index|timeindex|txnindex|snapshot|summary)$/.test(name)) files.remove(`${DIRECTORY}/${name}`)
  }
}

function cleaning({ timers, clock }: Environment, keyMapBytes: number) {
  return { pace: new Pace({ timers, clock, maxBytesPerSecond: Number.POSITIVE_INFINITY }), keyMapBytes }
}

async function settle(world: SimulatedWorld, partition: LeaderPartition): Promise<void> {
  await world.run(partition.whenCommitted(partition.logEndOffset - 1))
  await world.runFor(20)
}
