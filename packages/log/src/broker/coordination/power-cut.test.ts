import { describe, expect, it } from 'vitest'
import type { SimulatedMachine } from '../../testing/simulated-machine.ts'
import { SimulatedWorld } from '../../testing/simulated-world.ts'
import { CoordinationFixture } from './coordination-fixture.ts'

/** What the program was told before the lights went out. */
interface Told {
  /** Transactions whose commit was acknowledged. */
  readonly committed: Set<string>
  /** Transactions whose abort was acknowledged. */
  readonly aborted: Set<string>
  /** The transaction whose end was asked for and not answered. */
  unknown: string | undefined
}

/** Writes the number of each transaction to two partitions and, as an offset, to the group; commits two of three. */
async function work(broker: CoordinationFixture, told: Told, from: number): Promise<void> {
  const producer = await broker.init('tx')
  for (let number = from; ; number += 1) {
    const name = String(number)
    await Promise.all([broker.produce(producer, 0, name), broker.produce(producer, 1, name)])
    expect(await broker.commitOffset(producer, number)).toBe('NONE')
    const commit = number % 3 !== 0
    told.unknown = name
    expect(await broker.end(producer, commit)).toBe('NONE')
    told.unknown = undefined
    const ended = commit ? told.committed : told.aborted
    ended.add(name)
  }
}

async function check(broker: CoordinationFixture, told: Told): Promise<number> {
  const left = await broker.committed(0)
  const right = await broker.committed(1)
  const offset = await broker.offset()
  expect(right).toEqual(left)
  expect(offset).toBe(left.length === 0 ? -1 : Number(left.at(-1)))
  for (const name of told.committed) expect(left).toContain(name)
  for (const name of told.aborted) expect(left).not.toContain(name)
  for (const name of left) expect(told.committed.has(name) || told.unknown === name).toBe(true)
  expect(await broker.ends(0)).toSatisfy(({ stable, end }: { stable: number; end: number }) => stable === end)
  // What was unknown is known now.
  if (told.unknown !== undefined) (left.includes(told.unknown) ? told.committed : told.aborted).add(told.unknown)
  told.unknown = undefined
  return Number(offset)
}

async function live(machine: SimulatedMachine, told: Told, world: SimulatedWorld): Promise<void> {
  const broker = await world.run(CoordinationFixture.start({ environment: machine.environment }))
  const offset = await world.run(check(broker, told))
  const failures: unknown[] = []
  // No number twice: what came of one says nothing of the other.
  const used = [...told.committed, ...told.aborted].map(Number)
  work(broker, told, Math.max(0, offset, ...used) + 3).catch((error) => failures.push(error))
  await world.runFor(5 + (world.random.uint32() % 40))
  expect(failures).toEqual([])
}

describe('transactions under power cuts', () => {
  it('are whole or not at all: data of all partitions and offsets', async () => {
    let commits = 0
    let unknown = 0
    for (let seed = 1; seed <= 60; seed += 1) {
      const world = new SimulatedWorld({ seed })
      const machine = world.machine('broker')
      const told: Told = { committed: new Set(), aborted: new Set(), unknown: undefined }
      for (let life = 0; life < 4; life += 1) {
        await live(machine, told, world)
        if (told.unknown !== undefined) unknown += 1
        machine.powerCut()
        machine.restart()
      }
      const broker = await world.run(CoordinationFixture.start({ environment: machine.environment }))
      await world.run(check(broker, told))
      commits += told.committed.size
      await world.run(broker.broker.close())
    }
    // The test would prove little if the cuts never fell between the question and the answer.
    expect(commits).toBeGreaterThan(100)
    expect(unknown).toBeGreaterThan(10)
  })
})
