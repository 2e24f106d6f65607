import type { Environment } from '../environment/environment.ts'
import { SeededRandom } from './seeded-random.ts'
import type { DiskOptions } from './simulated-disk.ts'
import { SimulatedMachine } from './simulated-machine.ts'
import { type NetworkOptions, SimulatedNetwork } from './simulated-network.ts'
import { SimulatedScheduler } from './simulated-scheduler.ts'
import { TraceHash } from './trace-hash.ts'

/** A world from one seed. */
export interface WorldOptions {
  readonly seed: number | string
  /** What the wall clock says at the beginning (default: 2026-01-01T00:00:00Z). */
  readonly epochMs?: number
  readonly disk?: DiskOptions
  readonly network?: NetworkOptions
}

/**
 * A simulated world: machines with disks, a network and virtual time, all of it decided by the seed. The same program in a world of the same
 * seed takes the same course, and `traceHash` proves it.
 *
 * ```ts
 * const world = new SimulatedWorld({ seed: 7 })
 * const machine = world.machine('a')
 * const log = await world.run(openLog({ dir: '/data', environment: machine.environment }))
 * machine.powerCut()
 * const again = await world.run(openLog({ dir: '/data', environment: machine.restart() }))
 * ```
 */
export class SimulatedWorld {
  readonly network: SimulatedNetwork
  /** For the test's own decisions. */
  readonly random: SeededRandom
  readonly #scheduler: SimulatedScheduler
  readonly #trace = new TraceHash()
  readonly #root: SeededRandom
  readonly #options: WorldOptions
  readonly #machines = new Map<string, SimulatedMachine>()

  constructor(options: WorldOptions) {
    this.#options = options
    this.#root = new SeededRandom(options.seed)
    this.#scheduler = new SimulatedScheduler(this.#root.split('scheduler'), this.#trace)
    this.network = new SimulatedNetwork(this.#scheduler, this.#root.split('network'), options.network ?? {})
    this.random = this.#root.split('test')
  }

  /** The machine of that name, which is also its host name; made when it is new. */
  machine(name: string, disk: DiskOptions = this.#options.disk ?? {}): SimulatedMachine {
    let machine = this.#machines.get(name)
    if (machine === undefined) {
      const shared = {
        scheduler: this.#scheduler,
        network: this.network,
        trace: this.#trace,
        random: this.#root.split(name),
        epochMs: this.#options.epochMs ?? 1_767_225_600_000
      }
      machine = new SimulatedMachine(name, shared, disk)
      this.#machines.set(name, machine)
    }
    return machine
  }

  /** Virtual milliseconds since the beginning. */
  get nowMs(): number {
    return this.#scheduler.nowMs
  }

  /** What happened so far, as a text that is equal exactly when the courses were. */
  get traceHash(): string {
    return this.#trace.toString()
  }

  /**
   * Lets the world go on until the promise is settled, and returns what it gave.
   * @throws SimulationStuckError when nothing is left to happen, or after `limitMs` (default: one day).
   */
  run<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.#scheduler.run(promise, limitMs)
  }

  /** Lets the world go on for so long. */
  runFor(durationMs: number): Promise<void> {
    return this.#scheduler.runFor(durationMs)
  }

  /** Lets the world go on until only background timers are left. */
  runUntilIdle(): Promise<void> {
    return this.#scheduler.runUntilIdle()
  }
}

/** A world with one machine, whose environment it is. */
export function simulatedEnvironment(
  options: WorldOptions
): Environment & { readonly world: SimulatedWorld; readonly machine: SimulatedMachine } {
  const world = new SimulatedWorld(options)
  const machine = world.machine('machine')
  return { ...machine.environment, world, machine }
}
