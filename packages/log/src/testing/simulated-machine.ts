import type { Environment, Timers } from '../environment/environment.ts'
import { MemoryFiles } from '../environment/memory-files.ts'
import type { SeededRandom } from './seeded-random.ts'
import { type DiskOptions, SimulatedDisk } from './simulated-disk.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import type { Lane, SimulatedScheduler } from './simulated-scheduler.ts'
import type { TraceHash } from './trace-hash.ts'

/** What a machine shares with the others of its world. */
export interface MachineWorld {
  readonly scheduler: SimulatedScheduler
  readonly network: SimulatedNetwork
  readonly trace: TraceHash
  readonly random: SeededRandom
  /** What the wall clock said when the simulation began. */
  readonly epochMs: number
}

/** Long enough that a peer's request times out first, as it does when a cable is pulled. */
const powerCutNoticeMs = 5_000

/** One turn of a machine's event loop; more than nothing, so that a loop that only yields does not stop time. */
const turnMs = 0.001

/**
 * A computer with a disk. After `kill` or `powerCut` its environment is dead: its timers never fire, its promises never resolve, its files
 * fail; `restart` gives a new one on the same disk.
 */
export class SimulatedMachine {
  readonly name: string
  readonly disk: SimulatedDisk
  readonly #world: MachineWorld
  #lane: Lane
  #environment: Environment

  constructor(name: string, world: MachineWorld, disk: DiskOptions) {
    this.name = name
    this.#world = world
    this.#lane = world.scheduler.lane(name)
    this.disk = new SimulatedDisk({ ...world, random: world.random.split('disk') }, disk)
    this.#environment = this.#boot()
  }

  /** The present environment; dead when the machine is off. */
  get environment(): Environment {
    return this.#environment
  }

  /** The process ends at once, as by `kill -9`; what it wrote to files stays, and its peers see a reset. */
  kill(): void {
    this.#die(this.#world.network.delayMs())
  }

  /** The power goes: of what was not synced, chance decides what stays. */
  powerCut(): void {
    this.#die(powerCutNoticeMs)
    this.disk.powerCut()
  }

  /** Starts the machine again, after a `kill` if it is still running. */
  restart(): Environment {
    if (this.#lane.alive) this.kill()
    this.#lane = this.#world.scheduler.lane(this.name)
    this.#environment = this.#boot()
    return this.#environment
  }

  #die(noticeMs: number): void {
    if (!this.#lane.alive) return
    this.#world.trace.note(`${this.name} dies`, this.#world.scheduler.nowMs)
    this.#lane.alive = false
    this.#world.network.drop(this.#lane, noticeMs)
  }

  #boot(): Environment {
    const { scheduler, network, epochMs, random } = this.#world
    const clock = {
      nowMs: () => epochMs + Math.floor(scheduler.nowMs),
      monotonicMs: () => scheduler.nowMs
    }
    return {
      clock,
      timers: simulatedTimers(scheduler, this.#lane),
      random: random.split('random'),
      files: new MemoryFiles(clock, { root: this.disk.root, journal: this.disk.journal(this.#lane) }),
      network: network.from(this.#lane)
    }
  }
}

function simulatedTimers(scheduler: SimulatedScheduler, lane: Lane): Timers {
  return {
    set: (delayMs, run, options) => {
      const background = options?.background === true
      const event = scheduler.after(Math.max(turnMs, delayMs), lane, { label: 'timer', background, run })
      return {
        cancel: () => {
          event.cancelled = true
        }
      }
    },
    soon: (run) => {
      scheduler.after(turnMs, lane, { label: 'soon', run })
    }
  }
}
