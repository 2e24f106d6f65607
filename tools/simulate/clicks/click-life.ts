import { type BrokerEvent, type Environment, type Log, openLog } from '@millrace/log'
import type { SeededRandom } from '@millrace/log/testing'
import { FileEngine, runStreams, type StreamsApp, type Trace } from '@millrace/streams'
import { CLICKS_TOPIC, createClickTopics } from '../../../examples/01-click-aggregator/click-source.ts'
import { RESULTS_TOPIC } from '../../../examples/01-click-aggregator/results.ts'
import { clickAggregator } from '../../../examples/01-click-aggregator/topology.ts'
import { BrokenPromiseError, demand } from '../simulation.ts'
import { checkCounts } from './check-counts.ts'
import { feedClicks } from './click-feeder.ts'
import type { ClickInput } from './click-input.ts'
import type { Witness } from './witness.ts'

/** What one life of the program needs. */
export interface LifeOptions {
  readonly environment: Environment
  readonly fsync?: 'always' | 'os'
  readonly input: ClickInput
  /** For decisions of this life. */
  readonly random: SeededRandom
  readonly witness: Witness
  readonly trace: Trace
  readonly onEvent: (event: BrokerEvent) => void
}

/** A restart takes up work in less than this. */
const RESTART_BUDGET_MS = 2000

/** The whole job: log, feeder, aggregator, a witness. Ends when all input is counted and everything was compared. */
export async function live(options: LifeOptions): Promise<void> {
  const { environment, input, random } = options
  const log = await openLog({
    dir: '/data',
    environment,
    fsync: options.fsync ?? 'always',
    broker: { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 },
    onEvent: options.onEvent
  })
  await createTopics(log, input.partitions)
  const app = await runStreams(clickAggregator(input), {
    log,
    engine: (path, where) => FileEngine.open(path, where),
    commitInterval: random.pick([3, 10, 30]),
    internalTopicConfigs: { 'retention.ms': '-1' },
    trace: options.trace
  })
  const broken = Promise.withResolvers<never>()
  app.restore$.subscribe(({ store, partition, rebuildReason }) => {
    if (rebuildReason === undefined) return
    broken.reject(new BrokenPromiseError(`store ${store} of partition ${partition} was rebuilt: ${rebuildReason}`))
  })
  await firstOf([broken.promise, app.done, work(log, app, options)])
  await app.close()
  await log.close()
}

/** The example makes its own, unless they are there: with fewer partitions a life is shorter, and more lives are tried. */
async function createTopics(log: Log, partitions: number): Promise<void> {
  const admin = log.admin()
  const configs = { 'retention.ms': '-1' }
  for (const name of [CLICKS_TOPIC, RESULTS_TOPIC]) await admin.ensureTopic({ name, partitions, configs })
  await admin.close()
  await createClickTopics(log)
}

async function work(log: Log, app: StreamsApp, { environment, input, random, witness }: LifeOptions): Promise<void> {
  const beganMs = environment.clock.monotonicMs()
  await app.running
  const tookMs = environment.clock.monotonicMs() - beganMs
  demand(tookMs < RESTART_BUDGET_MS, () => `it took ${tookMs} ms to run again`)
  let done = false
  const watching = witness.watch(log, () => done)
  const counting = feedClicks(log, input, random).then(async (position) => {
    await app.caughtUp()
    await checkCounts(log, app, { input, position })
    done = true
  })
  await firstOf([counting, watching.then(() => counting)])
  await watching
}

/** As `Promise.race`; what the others come to later is of no interest. */
function firstOf<T>(promises: readonly Promise<T>[]): Promise<T> {
  for (const promise of promises) promise.catch(() => undefined)
  return Promise.race(promises)
}
