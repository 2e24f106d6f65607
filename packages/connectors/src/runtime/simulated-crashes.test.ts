import { type Environment, openLog } from '@millrace/log'
import { type SeededRandom, type SimulatedMachine, SimulatedWorld } from '@millrace/log/testing'
import { FileEngine } from '@millrace/streams'
import { describe, expect, it } from 'vitest'
import { MemoryQueue } from '../testing/memory-source.ts'
import { MemoryTarget } from '../testing/memory-target.ts'
import { runConnectors } from './run-connectors.ts'
import type { ConnectorStep } from './steps.ts'

const SEEDS = 12
const THINGS = 60

/** How a life of the machine ends, if not by itself. */
type Fate = { readonly kind: 'power cut' | 'kill' | 'full disk'; readonly atMs?: number; readonly atStep?: number }

describe('a source and a sink on a machine that fails', () => {
  it('carry everything once and in order, through power cuts, kills and a full disk', async () => {
    const told = { lives: 0, powerCuts: 0, fullDisks: 0 }
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { changes, lives, fates } = await simulate(seed)
      const expected = Array.from({ length: THINGS }, (_, i) => `null thing-${i}`)
      expect(changes, `seed ${seed}: ${fates.join(', ')}`).toEqual(expected)
      told.lives += lives
      told.powerCuts += fates.filter((fate) => fate.startsWith('power cut')).length
      told.fullDisks += fates.filter((fate) => fate.startsWith('full disk')).length
    }
    // Chance has to have shown something.
    expect(told.lives).toBeGreaterThan(2 * SEEDS)
    expect(Math.min(told.powerCuts, told.fullDisks)).toBeGreaterThan(5)
  })

  it('take the same course for the same seed', async () => {
    expect((await simulate(7)).traceHash).toBe((await simulate(7)).traceHash)
  })
})

async function simulate(seed: number) {
  const world = new SimulatedWorld({ seed })
  const machine = world.machine('m')
  const queue = new MemoryQueue()
  const target = new MemoryTarget('transactional')
  await queue.produce(THINGS / 2)
  const fates: string[] = []
  const crashes = 2 + world.random.below(4)
  let lives = 0
  for (let done = false; !done; lives++) {
    const fate = lives < crashes ? chooseFate(world.random) : undefined
    fates.push(fate === undefined ? 'nothing' : `${fate.kind} at ${fate.atMs ?? `step ${fate.atStep}`}`)
    done = await live(world, machine, { queue, target, fate, last: lives >= crashes })
  }
  return { changes: await target.changes(), traceHash: world.traceHash, lives, fates }
}

function chooseFate(random: SeededRandom): Fate {
  const kind = random.pick(['power cut', 'power cut', 'kill', 'full disk'] as const)
  return random.chance(0.5) ? { kind, atMs: 2 ** random.between(0, 8) } : { kind, atStep: random.below(60) }
}

interface Scene {
  readonly queue: MemoryQueue
  readonly target: MemoryTarget
  readonly fate: Fate | undefined
  readonly last: boolean
}

/** @returns whether everything has arrived. */
async function live(world: SimulatedWorld, machine: SimulatedMachine, scene: Scene): Promise<boolean> {
  machine.disk.options = {}
  const environment = machine.restart()
  const { fate } = scene
  const struck = Promise.withResolvers<'struck'>()
  const strike = () => {
    if (fate?.kind === 'power cut') machine.powerCut()
    if (fate?.kind === 'kill') machine.kill()
    if (fate?.kind === 'full disk') fillDisk(machine, environment, world.random.between(1, 300))
    if (fate?.kind !== 'full disk') struck.resolve('struck')
  }
  if (fate?.atMs !== undefined) environment.timers.set(fate.atMs, strike, { background: true })
  let steps = 0
  const step = (_: ConnectorStep) => {
    if (fate?.atStep === steps++) strike()
  }
  const work = run(environment, { ...scene, step }).catch(() => 'failed' as const)
  const outcome = await world.run(Promise.race([work, struck.promise]), 3_600_000)
  return outcome === 'all there'
}

function fillDisk(machine: SimulatedMachine, environment: Environment, forMs: number): void {
  machine.disk.options = { fault: (operation) => (operation === 'write' ? 'ENOSPC' : undefined) }
  environment.timers.set(forMs, () => {
    machine.disk.options = {}
  })
}

async function run(
  environment: Environment,
  { queue, target, last, step }: Scene & { step(step: ConnectorStep): void }
): Promise<'all there' | 'gone'> {
  const log = await openLog({
    dir: '/data',
    environment,
    broker: { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 },
    onEvent: () => {}
  })
  const app = await runConnectors({
    log,
    control: false,
    connectors: [
      {
        source: queue.source(),
        commitInterval: 5,
        transactionRecords: 7,
        backoff: { firstMs: 5, maxMs: 100 },
        engine: (path, where) => FileEngine.open(path, where),
        topics: { partitions: 1 }
      },
      {
        sink: target.sink(),
        topics: ['things'],
        batchRecords: 5,
        backoff: { firstMs: 5, maxMs: 100 },
        commitInterval: 10
      }
    ],
    trace: (reached) => step(reached)
  })
  const arrived = async () => new Set(await target.changes()).size
  if (last && (await arrived()) < THINGS) await queue.produce(Math.max(0, THINGS - queue.size))
  while ((await arrived()) < queue.size) {
    if (app.connectors.some(({ state }) => state.status === 'failed')) return 'gone'
    await new Promise<void>((resolve) => environment.timers.set(5, resolve))
  }
  await app.close()
  await log.close()
  return last ? 'all there' : 'gone'
}
