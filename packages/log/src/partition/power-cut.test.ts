import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import type { LeaderPartition } from './leader-partition.ts'
import { batchOf, partitionFixture, readAll } from './partition-fixture.ts'

const SEEDS = 150
const LIVES = 4

/** What the outside knows: values by offset. */
interface Known {
  /** Acknowledged, so never to be lost. */
  readonly acknowledged: Map<number, string>
  /** Sent but perhaps lost. */
  readonly sent: Map<number, string>
  /** Highest high watermark that anybody saw. */
  highWatermark: number
}

describe('a power cut', () => {
  it('loses nothing that was acknowledged or read, whenever it comes', async () => {
    for (let seed = 0; seed < SEEDS; seed++) await liveAndDie(seed)
  })
})

async function liveAndDie(seed: number): Promise<void> {
  const world = new SimulatedWorld({ seed })
  const machine = world.machine('a')
  const random = new SeededRandom(`lives ${seed}`)
  const known: Known = { acknowledged: new Map(), sent: new Map(), highWatermark: 0 }
  let environment = machine.environment
  let next = 0
  for (let life = 0; life < LIVES; life++) {
    const config = { 'segment.bytes': '2048', 'index.interval.bytes': '200' }
    const fixture = partitionFixture({ environment, config, tailBytes: 512 })
    const opened = fixture.open()
    // A machine that goes down while it recovers comes up again as well.
    if (life > 0 && random.below(4) === 0) {
      for (let step = random.below(6); step > 0; step--) await world.run(pause(environment, 0.2))
      opened.catch(() => undefined)
      machine.powerCut()
      environment = machine.restart()
      continue
    }
    const partition = await world.run(opened)
    check(partition, known, `seed ${seed}, life ${life}`)
    expect(
      fixture.damage.filter((report) => report.kind === 'rebuilt'),
      `seed ${seed}`
    ).toEqual([])
    const steps = random.below(60)
    for (let step = 0; step < steps; step++) {
      next = appendOne(partition, known, { random, next })
      if (random.below(3) === 0) await world.run(pause(environment, random.below(20) / 10))
      known.highWatermark = Math.max(known.highWatermark, partition.highWatermark)
    }
    if (random.below(5) === 0) {
      await world.run(partition.close())
      for (const [offset, value] of known.sent) known.acknowledged.set(offset, value)
    }
    machine.powerCut()
    environment = machine.restart()
  }
}

function appendOne(partition: LeaderPartition, known: Known, at: { random: SeededRandom; next: number }): number {
  const count = 1 + at.random.below(3)
  const values = Array.from(
    { length: count },
    (_, index) => `value ${at.next + index} ${'x'.repeat(at.random.below(200))}`
  )
  const { baseOffset, lastOffset } = partition.append(batchOf(values), 'client')
  const note = (map: Map<number, string>) => {
    for (const [index, value] of values.entries()) map.set(baseOffset + index, value)
  }
  note(known.sent)
  partition.whenCommitted(lastOffset).then(
    () => note(known.acknowledged),
    () => undefined
  )
  return at.next + count
}

function check(partition: LeaderPartition, known: Known, where: string): void {
  expect(partition.highWatermark, where).toBeGreaterThanOrEqual(known.highWatermark)
  expect(partition.highWatermark, where).toBe(partition.logEndOffset)
  const found = new Map(readAll(partition).map((record) => [record.offset, record.value]))
  for (const [offset, value] of known.acknowledged) expect(found.get(offset), `${where}, offset ${offset}`).toBe(value)
  for (const [offset, value] of found) expect(known.sent.get(offset), `${where}, offset ${offset}`).toBe(value)
  known.sent.clear()
  for (const [offset, value] of found) {
    known.sent.set(offset, value)
    known.acknowledged.set(offset, value)
  }
}

function pause(
  environment: { timers: { set(delayMs: number, run: () => void): unknown } },
  delayMs: number
): Promise<void> {
  return new Promise((resolve) => {
    environment.timers.set(delayMs, resolve)
  })
}
