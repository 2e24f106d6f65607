import { type BrokerEvent, MillraceError } from '@millrace/log'
import { type SimulatedMachine, SimulatedWorld } from '@millrace/log/testing'
import {
  BrokenPromiseError,
  demand,
  type Simulation,
  SimulationFailedError,
  type SimulationResult
} from '../simulation.ts'
import { type ClickInput, clickInput } from './click-input.ts'
import { live } from './click-life.ts'
import { armCrash, type CrashPlan, describeCrash, planCrash } from './crash-plan.ts'
import { Witness } from './witness.ts'

/** After its disk failed a program is given this long to end. */
const NOTICE_MS = 1000
/** More virtual time than any life needs: beyond, something waits for what never comes. */
const LIFE_LIMIT_MS = 300_000

/**
 * The click aggregator of the examples on a machine whose power is cut, whose process is killed and whose disk fails or is full, again and again, until all
 * input is counted. Every click is counted exactly once, nothing that a reader saw vanishes, no store is rebuilt.
 */
export const clickSimulation: Simulation = {
  name: 'clicks',
  description: 'the click aggregator under power cuts, kills, a full and a failing disk: every click exactly once',
  run: (seed) => simulateClicks(seed)
}

/**
 * One seed of it.
 * @param options `fsync: 'os'` takes a promise away: then power cuts are to be noticed.
 * @throws SimulationFailedError
 */
export async function simulateClicks(seed: number, options: ClickSimulationOptions = {}): Promise<SimulationResult> {
  const run = new ClickRun(seed, options)
  try {
    return await run.run()
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new SimulationFailedError(seed, what, run.story, { cause: error })
  }
}

/** How the simulated program differs from the real one. */
export interface ClickSimulationOptions {
  readonly fsync?: 'always' | 'os'
}

class ClickRun {
  readonly story: string[] = []
  readonly #options: ClickSimulationOptions
  readonly #world: SimulatedWorld
  readonly #machine: SimulatedMachine
  readonly #input: ClickInput
  readonly #witness: Witness
  #broken: BrokenPromiseError | undefined
  readonly #counts = {
    lines: 0,
    crashes: 0,
    fullDisks: 0,
    commits: 0,
    records: 0,
    tornTails: 0,
    lostWrites: 0,
    rebuiltFiles: 0,
    virtualMs: 0
  }

  constructor(seed: number, options: ClickSimulationOptions) {
    this.#options = options
    this.#world = new SimulatedWorld({ seed })
    this.#machine = this.#world.machine('m')
    this.#input = clickInput(this.#world.random)
    this.#witness = new Witness('click-aggregator', this.#input.partitions)
    this.#counts.lines = this.#input.file.toString('latin1').split('\n').length
  }

  async run(): Promise<SimulationResult> {
    const { random } = this.#world
    const crashes = 1 + random.below(5)
    for (let i = 0; i < crashes; i++) if (await this.#live(planCrash(random))) break
    while (!(await this.#live(undefined)));
    this.#counts.records = this.#witness.records
    this.#counts.virtualMs = Math.round(this.#world.nowMs)
    return { traceHash: this.#world.traceHash, counts: this.#counts }
  }

  /** One life of the machine. @returns whether it counted all of the input. */
  async #live(plan: CrashPlan | undefined): Promise<boolean> {
    const world = this.#world
    const machine = this.#machine
    const environment = machine.restart()
    const crash = armCrash(machine, plan)
    this.#tell(`life begins, ${plan === undefined ? 'nothing will happen' : describeCrash(plan)}`)
    const options = {
      ...this.#options,
      environment,
      input: this.#input,
      random: world.random.split('life'),
      witness: this.#witness,
      trace: (step: Parameters<typeof crash.trace>[0]) => {
        if (step === 'commit:published') this.#counts.commits++
        crash.trace(step)
      },
      onEvent: (event: BrokerEvent) => this.#heard(event, crash.happened)
    }
    const life = live(options)
    life.catch(() => undefined)
    await world.run(
      Promise.race([life.catch((error) => this.#excuse(error, crash.happened)), crash.came]),
      LIFE_LIMIT_MS
    )
    if (this.#broken !== undefined) throw this.#broken
    if (!crash.happened) return true
    if (plan?.kind === 'full disk') return this.#fillDisk(life)
    this.#counts.crashes++
    if (plan?.kind === 'failing disk') await this.#stopFailed(life)
    this.#tell('life ends')
    return false
  }

  /** The program goes on when there is space again, or has said what is missing and is started again. @returns whether it counted everything */
  async #fillDisk(life: Promise<void>): Promise<boolean> {
    const world = this.#world
    const { timers } = this.#machine.environment
    this.#counts.fullDisks++
    const space = new Promise<void>((resolve) => timers.set(world.random.between(1, 400), resolve))
    await world.run(space, LIFE_LIMIT_MS)
    this.#machine.disk.options = {}
    try {
      await world.run(life, LIFE_LIMIT_MS)
      return true
    } catch (error) {
      if (error instanceof BrokenPromiseError || !(error instanceof MillraceError)) throw error
      this.#tell(`it failed on the full disk: ${error}`)
      demand(/space/.test(error.message), () => `the error does not say what to do about a full disk: ${error.message}`)
      this.#machine.kill()
      return false
    }
  }

  /** The program on a failed disk ends by itself or hangs on it; it is stopped, by its supervisor or by a restart of the machine. */
  async #stopFailed(life: Promise<void>): Promise<void> {
    const world = this.#world
    const { timers } = this.#machine.environment
    const notice = new Promise<void>((resolve) => timers.set(NOTICE_MS, resolve))
    await world.run(Promise.race([life.catch((error) => this.#tell(`it failed: ${error}`)), notice]), LIFE_LIMIT_MS)
    if (world.random.chance(0.5)) this.#machine.kill()
    else this.#machine.powerCut()
  }

  #excuse(error: unknown, crashed: boolean): void {
    if (!crashed || error instanceof BrokenPromiseError) throw error
  }

  /**
   * Nothing that was synced may ever be damaged: torn ends, stale indexes, and writes lost from between others that were under way with them are all that a
   * crash leaves.
   */
  #heard(event: BrokerEvent, crashed: boolean): void {
    if (event.kind === 'damage') {
      const { kind, message, path, position } = event.report
      if (kind === 'torn-tail') this.#counts.tornTails++
      else if (kind === 'rebuilt') this.#counts.rebuiltFiles++
      else if (kind === 'damaged-range' && position >= this.#machine.disk.uncertainFrom(path)) this.#counts.lostWrites++
      else this.#broken ??= new BrokenPromiseError(message)
      this.#tell(message)
    } else if (!crashed) this.#broken ??= new BrokenPromiseError(`the broker reports: ${JSON.stringify(event)}`)
  }

  #tell(what: string): void {
    this.story.push(`${this.#world.nowMs.toFixed(3)} ms: ${what}`)
  }
}
