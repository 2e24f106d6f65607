import { describe, expect, it } from 'vitest'
import type { Connection, Environment } from '../environment/environment.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulationStuckError } from './simulated-scheduler.ts'
import { SimulatedWorld } from './simulated-world.ts'

describe('virtual time', () => {
  it('runs timers in order, promise callbacks before the next, and waits for nothing', async () => {
    const world = new SimulatedWorld({ seed: 1 })
    const { timers, clock } = world.machine('a').environment
    const seen: string[] = []
    const note = (what: string) => () => {
      seen.push(`${what} ${clock.monotonicMs()}`)
      void Promise.resolve()
        .then(() => undefined)
        .then(() => seen.push(`after ${what}`))
    }
    timers.set(3_600_000, note('late'))
    timers.set(10, note('first'))
    timers.set(10, note('second'))
    timers.set(5, note('cancelled')).cancel()
    timers.set(1000, note('background'), { background: true })
    const startMs = clock.nowMs()
    await world.runUntilIdle()
    expect(seen).toEqual(
      ['first 10', 'second 10', 'background 1000', 'late 3600000'].flatMap((what) => [
        what,
        `after ${what.split(' ')[0]}`
      ])
    )
    expect(clock.nowMs() - startMs).toBe(3_600_000)
  })

  it('a loop of turns does not stop time', async () => {
    const world = new SimulatedWorld({ seed: 1 })
    const { timers } = world.machine('a').environment
    let turns = 0
    let done = false
    const loop = () => {
      turns++
      if (!done) timers.soon(loop)
    }
    loop()
    timers.set(1, () => {
      done = true
    })
    await world.runUntilIdle()
    expect(turns).toBeGreaterThan(100)
  })

  it('says that nothing is left to happen', async () => {
    const world = new SimulatedWorld({ seed: 1 })
    await expect(world.run(new Promise(() => undefined))).rejects.toThrow(SimulationStuckError)
    const { timers } = world.machine('a').environment
    const tick = () => void timers.set(1000, tick)
    tick()
    await expect(world.run(new Promise(() => undefined), 10_000)).rejects.toThrow(/10000 ms have passed/)
  })
})

describe('the simulated network', () => {
  it('delivers bytes in order in pieces, and nothing through a cut until it is healed', async () => {
    const world = new SimulatedWorld({ seed: 3, network: { chunkBytes: 100 } })
    const a = world.machine('a').environment
    const sent = new SeededRandom(9).bytes(10_000)
    const { received } = echoServer(world.machine('b').environment)
    const connection = await world.run(a.network.connect({ host: 'b', port: 9092 }))
    const echoed: Buffer[] = []
    connection.onData((chunk) => echoed.push(chunk))
    connection.write([sent.subarray(0, 4000), sent.subarray(4000)])
    await world.runFor(1000)
    expect(Buffer.concat(echoed).equals(sent)).toBe(true)
    expect(received.length).toBeGreaterThan(100)

    world.network.cut('b', 'a')
    connection.write([Buffer.from('through')])
    await world.runFor(1000)
    expect(Buffer.concat(received).toString('latin1').endsWith('through')).toBe(true)
    expect(Buffer.concat(echoed).length).toBe(sent.length)
    world.network.heal()
    await world.runFor(1000)
    expect(Buffer.concat(echoed).toString('latin1').endsWith('through')).toBe(true)
  })

  it('refuses where nobody listens and resets when the peer is killed', async () => {
    const world = new SimulatedWorld({ seed: 3 })
    const { network } = world.machine('a').environment
    const refused = network.connect({ host: 'b', port: 9092 })
    await expect(world.run(refused)).rejects.toMatchObject({ systemCode: 'ECONNREFUSED', host: 'b', port: 9092 })
    echoServer(world.machine('b').environment)
    const connection = await world.run(network.connect({ host: 'b', port: 9092 }))
    const closed = new Promise((resolve) => connection.onClose(resolve))
    world.machine('b').kill()
    expect(await world.run(closed)).toMatchObject({ systemCode: 'ECONNRESET' })
  })
})

describe('one seed', () => {
  it('takes one course, and another seed another', async () => {
    const courses = new Map<number, string>()
    for (let seed = 0; seed < 20; seed++) {
      const first = await course(seed)
      expect(await course(seed)).toBe(first)
      courses.set(seed, first)
    }
    expect(new Set(courses.values()).size).toBe(20)
  })
})

/** A client that writes to a disk what a server on another machine echoed, with a power cut on the way. */
async function course(seed: number): Promise<string> {
  const world = new SimulatedWorld({ seed })
  echoServer(world.machine('b').environment)
  const machine = world.machine('a')
  for (let life = 0; life < 3; life++) {
    void client(machine.restart())
    await world.runFor(world.random.below(30))
    machine.powerCut()
  }
  return world.traceHash
}

async function client(environment: Environment): Promise<void> {
  const file = environment.files.open('/f', 'write')
  const connection = await environment.network.connect({ host: 'b', port: 9092 })
  connection.onData(async (chunk) => {
    file.write([chunk], file.size())
    await file.datasync()
    connection.write([environment.random.bytes(100)])
  })
  connection.write([environment.random.bytes(1000)])
}

function echoServer(environment: Environment): { received: Buffer[] } {
  const received: Buffer[] = []
  const accept = (connection: Connection) => {
    connection.onData((chunk) => {
      received.push(chunk)
      connection.write([chunk])
    })
  }
  void environment.network.listen({ host: 'b', port: 9092 }, accept)
  return { received }
}
