import { type BrokerEvent, InvariantError, type Log, openLog, partitionForKey } from '@millrace/log'
import { type SimulatedMachine, SimulatedWorld } from '@millrace/log/testing'
import { MemoryEngine, runStreams, type StreamsApp, type Topology, type TraceStep } from '@millrace/streams'
import { CommittedReader, type CommittedRecord } from './committed-reader.ts'
import { withWallClock } from './wall-clock-log.ts'

/** Where and how a topology runs. */
export interface RuntimeOptions {
  readonly seed: number
  /** Topics of text that it reads, and that it writes. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Of all these topics. Default 1. */
  readonly partitions?: number
  /** Default 5. */
  readonly commitIntervalMs?: number
}

/** A record to be fed. */
export interface FedRecord {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

/** An instant at which the machine crashes. */
export interface CrashPoint {
  readonly how: 'kill' | 'power cut'
  readonly step: TraceStep
  /** How often the step is passed before. */
  readonly passes: number
}

interface Life {
  readonly log: Log
  readonly app: StreamsApp
}

/** Longer than a broker holds a fetch: what a thread is woken for by nothing else, it has seen by then. */
const QUIET_MS = 620
/** Longer than it takes until a record that was written is with the thread, if that is not busy. */
const FETCH_MS = 2
const LIMIT_MS = 600_000
/** Records of any time are taken, and kept: the broker's clock begins at 0. */
const KEPT = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': String(Number.MAX_SAFE_INTEGER) }

/**
 * A topology on an embedded log, in a simulated machine: the broker, the clients and the stream thread are the real ones; disk and time are not,
 * so that nothing has to be waited for and a crash costs nothing. State is kept in memory only: after a crash all of it comes from the changelogs.
 * The time of day begins at 0 and moves only when told.
 */
export class RuntimeRun {
  readonly #topology: Topology
  readonly #options: RuntimeOptions
  readonly #world: SimulatedWorld
  readonly #machine: SimulatedMachine
  readonly #reader: CommittedReader
  #life: Life | undefined
  #crashPoint: CrashPoint | undefined
  #passes = 0
  #wallClockMs = 0
  #committing = false
  #commits = 0
  #crashes = 0

  private constructor(topology: Topology, options: RuntimeOptions) {
    this.#topology = topology
    this.#options = options
    this.#world = new SimulatedWorld({ seed: options.seed, epochMs: 0 })
    this.#machine = this.#world.machine('m')
    this.#reader = new CommittedReader(options.outputs, options.partitions ?? 1)
  }

  /** Makes the topics and starts the topology. */
  static async open(topology: Topology, options: RuntimeOptions): Promise<RuntimeRun> {
    const run = new RuntimeRun(topology, options)
    await run.#alive()
    return run
  }

  /** Crashes so far. */
  get crashes(): number {
    return this.#crashes
  }

  /** Commits so far, in all lives. */
  get commits(): number {
    return this.#commits
  }

  /** Writes a record to its topic, durably. */
  async feed({ topic, key, value, timestamp }: FedRecord): Promise<void> {
    const { partitions = 1 } = this.#options
    const bytes = key === null ? null : Buffer.from(key)
    const partition = bytes === null ? 0 : partitionForKey(bytes, partitions)
    const { log } = await this.#alive()
    const producer = log.producer()
    producer.enqueue(topic, partition, bytes, value === null ? null : Buffer.from(value), timestamp)
    const written = producer.flush().finally(() => producer.close())
    await this.#world.run(written, LIMIT_MS)
  }

  /** Moves the time of day. */
  advanceWallClock(byMs: number): void {
    this.#wallClockMs += byMs
  }

  /** Resolves when what was fed is processed by the tasks that read it; not, when it is committed. */
  async processed(): Promise<void> {
    const { app } = await this.#alive()
    for (let busy = true; busy; ) {
      const before = this.#commits
      await this.#world.runFor(FETCH_MS)
      if (app.state.status === 'failed') await app.done
      busy = this.#committing || this.#commits !== before || app.metrics().lag > 0
    }
  }

  /** The machine will crash there. What was fed before is on the disk; a write that is under way may get lost. */
  crashAt(point: CrashPoint): void {
    this.#crashPoint = point
    this.#passes = 0
  }

  /** The machine crashes now. */
  crash(how: CrashPoint['how']): void {
    this.#crashPoint = undefined
    this.#life = undefined
    this.#committing = false
    this.#crashes++
    if (how === 'kill') this.#machine.kill()
    else this.#machine.powerCut()
  }

  /** Resolves when everything there is has gone all the way, and is committed; a machine that crashes meanwhile is started again. */
  async settle(): Promise<void> {
    for (;;) {
      const before = this.#commits
      const life = await this.#alive()
      await this.#world.runFor(QUIET_MS)
      if (this.#life !== life) continue
      if (life.app.state.status === 'failed') await life.app.done
      if (before === this.#commits && !this.#committing && life.app.metrics().lag === 0) break
    }
    this.#crashPoint = undefined
  }

  /** What was committed to the outputs since the last call: topic by topic. */
  async readOutputs(): Promise<readonly CommittedRecord[]> {
    const { log } = await this.#alive()
    return this.#world.run(this.#reader.readNew(log), LIMIT_MS)
  }

  /** Asks the running application. */
  async ask<T>(question: (app: StreamsApp) => Promise<T>): Promise<T> {
    const { app } = await this.#alive()
    return this.#world.run(question(app), LIMIT_MS)
  }

  async #alive(): Promise<Life> {
    this.#life ??= await this.#world.run(this.#begin(), LIMIT_MS)
    return this.#life
  }

  async #begin(): Promise<Life> {
    const { inputs, outputs, partitions = 1, commitIntervalMs = 5 } = this.#options
    const log = await openLog({
      dir: '/data',
      environment: this.#machine.restart(),
      broker: { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 },
      onEvent: refuseDamage
    })
    const admin = log.admin()
    for (const name of [...inputs, ...outputs]) await admin.ensureTopic({ name, partitions, configs: KEPT })
    await admin.close()
    const app = await runStreams(this.#topology, {
      log: withWallClock(log, () => this.#wallClockMs),
      engine: async () => new MemoryEngine(),
      commitInterval: commitIntervalMs,
      internalTopicConfigs: KEPT,
      trace: (step) => this.#passed(step)
    })
    app.done.catch(() => undefined)
    await app.running
    return { log, app }
  }

  #passed(step: TraceStep): void {
    this.#committing = step.startsWith('commit:') && step !== 'commit:published'
    if (step === 'commit:published') this.#commits++
    const point = this.#crashPoint
    if (point === undefined || step !== point.step || this.#passes++ < point.passes) return
    this.crash(point.how)
  }
}

/** A crash leaves torn ends and stale indexes, which are mended; nothing else may ever be found. */
function refuseDamage(event: BrokerEvent): void {
  if (event.kind === 'compacted') return
  if (event.kind === 'damage' && (event.report.kind === 'torn-tail' || event.report.kind === 'rebuilt')) return
  throw new InvariantError(`the broker reports: ${JSON.stringify(event)}`)
}
