import type { Log } from '@millrace/log'
import type { FaultPlan, SeededRandom, SimulatedLog, SimulatedMachine } from '@millrace/log/testing'
import type { RunOptions } from '../app/app-options.ts'
import { runStreams } from '../app/run-streams.ts'
import type { StreamsApp } from '../app/streams-app.ts'
import type { Topology } from '../graph/topology.ts'
import { COMMIT_STEPS, type TraceStep } from '../observe/trace.ts'
import { FileEngine } from '../state/file-engine.ts'

/** What an instance is made of. */
export interface InstanceParts {
  readonly topology: Topology
  readonly machine: SimulatedMachine
  readonly log: SimulatedLog
  readonly random: SeededRandom
  readonly plan: FaultPlan
  readonly options: Omit<RunOptions, 'log'>
  /** Hears what becomes of it. */
  tell(what: string): void
  /** The application ended by itself, or could not start. */
  failed(error: unknown): void
}

/** One instance of the application, on a machine of its own that has its state on its disk: it is started, crashes, and is started again. */
export class SimulatedInstance {
  readonly machine: SimulatedMachine
  readonly #parts: InstanceParts
  #app: StreamsApp | undefined
  #isUp = false
  #life = 0
  #isCut = false
  #committing = false
  #commits = 0
  #crashes = 0
  /** A crash that waits for a step of a commit. */
  #armed: { readonly step: TraceStep; readonly settle: () => void } | undefined
  /** Of this life. */
  #death = Promise.withResolvers<void>()

  constructor(parts: InstanceParts) {
    this.#parts = parts
    this.machine = parts.machine
  }

  get name(): string {
    return this.machine.name
  }

  /** The application, while it is up. */
  get app(): StreamsApp | undefined {
    return this.#app
  }

  /** Commits of all its lives. */
  get commits(): number {
    return this.#commits
  }

  /** Times that its machine crashed. */
  get crashes(): number {
    return this.#crashes
  }

  /** Records processed in this life. */
  get processedRecords(): number {
    return this.#app?.metrics().processedRecords ?? 0
  }

  /** Up, running, and with nothing to do but what the wall clock may ask for. */
  get isIdle(): boolean {
    const app = this.#app
    return app?.state.status === 'running' && app.metrics().lag === 0
  }

  /** How it is, in a few words. */
  describe(): string {
    const app = this.#app
    if (app === undefined) return `${this.name} is down`
    const { lag, commits } = app.metrics()
    return `${this.name} is ${app.state.status}, ${lag} records behind, ${commits} commits${this.#committing ? ', committing' : ''}`
  }

  /** Starts the machine, and the application on it, unless it is up. */
  start(): void {
    if (this.#isUp) return
    this.#isUp = true
    this.#death = Promise.withResolvers()
    const life = ++this.#life
    const environment = this.machine.restart()
    const { log, plan, tell } = this.#parts
    const reached = log.from({ environment, plan, isCut: () => this.#isCut })
    tell(`${this.name} starts`)
    this.#run(life, reached).catch((error) => {
      if (life === this.#life) this.#parts.failed(error)
    })
  }

  /** Kills the process, or cuts the power: at once, or at the next commit, at a step that chance decides. Resolves then, or with that life's end. */
  crash(): Promise<void> {
    const { random } = this.#parts
    if (this.#app === undefined || this.#armed !== undefined || random.chance(0.4)) {
      if (this.#isUp) this.#die('')
      return Promise.resolve()
    }
    return new Promise((settle) => {
      this.#armed = { step: random.pick(COMMIT_STEPS), settle }
    })
  }

  /** A crash that was to come at a commit does not come any more. */
  callOff(): void {
    this.#armed?.settle()
    this.#armed = undefined
  }

  /** Leaves the group in order; resolves when that is done, or when the machine crashes meanwhile. */
  async leave(): Promise<void> {
    const app = this.#app
    if (app === undefined) return
    this.#parts.tell(`${this.name} leaves`)
    const life = this.#life
    await Promise.race([app.close(), this.#death.promise])
    if (life !== this.#life) return
    this.#life++
    this.#app = undefined
    this.#isUp = false
    this.callOff()
  }

  /** From now on nothing gets through to the log, or everything again. */
  cut(isCut: boolean): void {
    this.#isCut = isCut
    this.#parts.tell(`${this.name} ${isCut ? 'cannot reach the log' : 'reaches the log again'}`)
  }

  async #run(life: number, log: Log): Promise<void> {
    const { topology, options, tell } = this.#parts
    const app = await runStreams(topology, {
      ...options,
      log,
      stateDirectory: '/state',
      engine: (path, environment) => FileEngine.open(path, environment),
      trace: (step) => this.#passed(life, step)
    })
    app.state$.subscribe((state) => {
      if (state.status === 'restarting') tell(`${this.name} starts again from the last commit: ${state.reason}`)
      else if (life === this.#life) tell(`${this.name} is ${state.status}`)
    })
    if (life === this.#life) this.#app = app
    await app.done
  }

  #passed(life: number, step: TraceStep): void {
    if (life !== this.#life) return
    this.#committing = step.startsWith('commit:') && step !== 'commit:published'
    if (step === 'commit:published') this.#commits++
    if (step === this.#armed?.step) this.#die(` at ${step}`)
  }

  #die(where: string): void {
    const { random, tell } = this.#parts
    const isPowerCut = random.chance(0.5)
    tell(`${this.name} ${isPowerCut ? 'loses power' : 'is killed'}${where}`)
    this.#life++
    this.#app = undefined
    this.#isUp = false
    this.#crashes++
    this.#committing = false
    if (isPowerCut) this.machine.powerCut()
    else this.machine.kill()
    this.#death.resolve()
    this.callOff()
  }
}
