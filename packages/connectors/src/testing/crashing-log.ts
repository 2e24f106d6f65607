import { type Environment, type Log, memoryEnvironment, openLog } from '@millrace/log'
import type { Connector } from '../runtime/connector.ts'
import { type ReadRecord, readToEnd } from '../runtime/read-topic.ts'
import { type ConnectorsApp, runConnectors } from '../runtime/run-connectors.ts'
import type { ConnectorStep, ConnectorTrace } from '../runtime/steps.ts'

/**
 * A log whose process ends at any step of a connector, as by `kill -9`, and begins again on the same disk. The disk is in memory, time is real.
 */
export class CrashingLog {
  readonly #environment: Environment
  readonly #apps: ConnectorsApp[] = []
  readonly #freezers: Freezer[] = []
  #log: Log

  private constructor(environment: Environment, log: Log) {
    this.#environment = environment
    this.#log = log
  }

  static async open(): Promise<CrashingLog> {
    const environment = memoryEnvironment()
    return new CrashingLog(environment, await openIn(environment))
  }

  get log(): Log {
    return this.#log
  }

  /** Runs a connector; with a freezer, until its step. */
  async run(connector: Connector, freezer?: Freezer): Promise<ConnectorsApp> {
    const trace = freezer === undefined ? {} : { trace: freezer.trace }
    if (freezer !== undefined) this.#freezers.push(freezer)
    const app = await runConnectors({ log: this.#log, connectors: [connector], ...trace })
    this.#apps.push(app)
    return app
  }

  /** The process is gone, and another one opens the log. What is frozen stays so, and reaches no log any more. */
  async crash(): Promise<void> {
    await this.#log.close()
    this.#log = await openIn(this.#environment)
  }

  /** All committed records of a topic. */
  async contents(topic: string): Promise<ReadRecord[]> {
    const admin = this.#log.admin()
    const found = (await admin.listTopics()).find(({ name }) => name === topic)
    if (found === undefined) return []
    const partitions = found.partitions.map(({ index }) => index)
    const records: ReadRecord[] = []
    for await (const page of readToEnd(this.#log, { topic, partitions })) records.push(...page.records)
    return records
  }

  /** Lets everything go. */
  async close(): Promise<void> {
    for (const freezer of this.#freezers) freezer.thaw()
    for (const app of this.#apps) await app.close()
    await this.#log.close()
  }
}

function openIn(environment: Environment): Promise<Log> {
  return openLog({ dir: '/log', environment, broker: { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 } })
}

/** Stops a run at the n-th time of a step, until it is thawed: the instant of a kill, or a process that sleeps for long. */
export class Freezer {
  readonly #thawed = Promise.withResolvers<void>()
  readonly #reached = Promise.withResolvers<'frozen'>()
  readonly #step: ConnectorStep | undefined
  #left: number
  #cold = false

  /** @param step absent: it is stopped by `freeze` alone. @param times 1 for the first time that the step is reached. */
  constructor(step?: ConnectorStep, times = 1) {
    this.#step = step
    this.#left = times
  }

  /** Resolves when the step was reached. */
  get frozen(): Promise<'frozen'> {
    return this.#reached.promise
  }

  readonly trace: ConnectorTrace = (step) => {
    if (step === this.#step && --this.#left === 0) {
      this.#cold = true
      this.#reached.resolve('frozen')
    }
    // All that runs beside it stops at its next step.
    return this.#cold ? this.#thawed.promise : undefined
  }

  /** Stops the run here and now. @returns what ends when it is thawed. */
  freeze(): Promise<void> {
    this.#cold = true
    this.#reached.resolve('frozen')
    return this.#thawed.promise
  }

  /** It goes on, as if no time had passed for it. */
  thaw(): void {
    this.#cold = false
    this.#thawed.resolve()
  }
}
