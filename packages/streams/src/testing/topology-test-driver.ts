import { UsageError } from '@millrace/log'
import { resolvePatterns } from '../graph/resolve-patterns.ts'
import type { Topology } from '../graph/topology.ts'
import type { DropReason } from '../processor/dropped-records.ts'
import type { RecoverableError } from '../task/recovery.ts'
import { DriverRun, type TestDriverOptions } from './driver-run.ts'
import { TestInput } from './test-input.ts'
import { TestOutput } from './test-output.ts'
import { TestStore } from './test-store.ts'
import { inputSerdes, outputSerdes, type TopicSerdes } from './topic-serdes.ts'

/**
 * Runs a topology without log, disk or clock, for unit tests: a record that is piped in has run through the whole topology, internal topics
 * included, and is committed when the promise resolves. Topics have one partition. Callbacks get deeply frozen values, so that one which
 * changes what it was given fails.
 *
 * ```ts
 * const driver = await TopologyTestDriver.open(clickAggregator)
 * await driver.input<string, Click>('clicks').pipe(null, { adId: 'ad-7', userId: 'u1', at: 61_000 })
 * expect(driver.output('clicks-per-minute').readValues()).toEqual([1])
 * ```
 */
export class TopologyTestDriver {
  readonly #topology: Topology
  readonly #run: DriverRun
  #work: Promise<void> = Promise.resolve()
  #state: 'open' | 'failed' | 'closed' = 'open'

  private constructor(topology: Topology, run: DriverRun) {
    this.#topology = topology
    this.#run = run
  }

  /** Opens a driver with empty stores. */
  static async open(topology: Topology, options: TestDriverOptions = {}): Promise<TopologyTestDriver> {
    const resolved = resolvePatterns(topology, options.topics ?? [])
    return new TopologyTestDriver(resolved, await DriverRun.open(resolved, options))
  }

  /** A topic to write to; by default with the serdes of the source that reads it. */
  input<K = unknown, V = unknown>(topic: string, serdes: TopicSerdes<K, V> = {}): TestInput<K, V> {
    return new TestInput(topic, inputSerdes(this.#topology, topic, serdes), ({ timestamp, ...record }) =>
      this.#inOrder(() => {
        this.#run.log.send({ topic, partition: 0, timestamp: timestamp ?? this.#run.nowMs, ...record })
        return this.#run.run()
      })
    )
  }

  /** A topic to read, from its first record on; by default with the serdes of the node that writes it. */
  output<K = unknown, V = unknown>(topic: string, serdes: TopicSerdes<K, V> = {}): TestOutput<K, V> {
    return new TestOutput(topic, outputSerdes(this.#topology, topic, serdes), this.#run.log.recordsOf(topic))
  }

  /**
   * A store of the topology, with or without windows, or of a global table.
   * @throws UsageError when there is none of that name.
   */
  store<K = unknown, V = unknown>(name: string): TestStore<K, V> {
    const { stores, globalTables } = this.#topology
    const definitions = [...stores, ...globalTables.map(({ store }) => store)]
    const definition = definitions.find((store) => store.name === name)
    const reader = this.#run.committed(name)
    if (definition === undefined || reader === undefined) {
      const known = definitions.map((store) => store.name).join(', ')
      throw new UsageError(`topology ${this.#topology.name} has no store ${name}: it has ${known || 'none'}`)
    }
    return new TestStore(definition, reader)
  }

  /** Topics that anything was written to, internal ones included, in the order of their first record. */
  topics(): string[] {
    return this.#run.log.topics()
  }

  /** Records dropped so far for one reason, at all nodes; late ones count in each window on its own. */
  dropped(reason: DropReason): number {
    const counters = this.#run.tasks.flatMap(({ task }) => task.dropped())
    return counters.reduce((sum, counter) => sum + counter.counts[reason], 0)
  }

  /** Errors of the records that a policy let go, in order. */
  skipped(): readonly RecoverableError[] {
    return this.#run.skipped
  }

  /** The wall clock, milliseconds since the epoch. */
  get nowMs(): number {
    return this.#run.nowMs
  }

  /**
   * Resolves when what asynchronous steps (`mapAsync`) have under way is done, has run through the topology and is committed. Until then a record that was
   * piped in may not have come out. Calls that wait to be repeated wait for the wall clock: move it, then settle again.
   * @throws what the topology threw, when no policy covers it.
   */
  async settled(): Promise<void> {
    do await this.#inOrder(() => this.#run.run())
    while (await this.#callEnded())
  }

  /**
   * Moves the wall clock forward; what processors scheduled by it has run when this resolves.
   * @throws UsageError when it is no whole number from 0 up.
   */
  advanceWallClock(byMs: number): Promise<void> {
    if (!(Number.isSafeInteger(byMs) && byMs >= 0)) {
      throw new UsageError(`advanceWallClock(${byMs}): the clock goes forward by whole milliseconds`)
    }
    return this.#inOrder(() => this.#run.advance(byMs))
  }

  /** Ends the run. What was written can still be read. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    await this.#work
    this.#state = 'closed'
    await this.#run.close()
  }

  async #callEnded(): Promise<boolean> {
    const ended = this.#run.callEnded()
    await ended
    return ended !== undefined
  }

  /** Calls wait for one another, so that a forgotten `await` does not run two records at once. */
  #inOrder(step: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#state !== 'open') throw new UsageError(`the test driver is ${this.#state}: open another one`)
      try {
        await step()
      } catch (error) {
        this.#state = 'failed'
        throw error
      }
    })
    this.#work = done.catch(() => {})
    return done
  }
}
