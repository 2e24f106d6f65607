import assert from 'node:assert/strict'
import type { Environment } from '@millrace/log'
import type { ContractCase } from '@millrace/log/testing'
import { FileEngine } from '@millrace/streams'
import type { SourceConnector } from '../runtime/connector.ts'
import { OFFSETS_TOPIC } from '../runtime/names.ts'
import { parsePositionKey } from '../runtime/positions.ts'
import type { ReadRecord } from '../runtime/read-topic.ts'
import { SOURCE_STEPS } from '../runtime/steps.ts'
import type { Source } from '../source.ts'
import { CrashingLog, Freezer } from './crashing-log.ts'
import { eventually } from './patience.ts'

/** A source under test, and the outer system that it reads. */
export interface SourceUnderTest {
  /** The source, made anew for each run, over the same outer system. Always of the same name. */
  source(): Source<unknown>
  /** How to run it beyond the defaults: topics, transforms. */
  readonly options?: Omit<SourceConnector, 'source'>
  /** Puts so many new things into the outer system. @returns an id for each, in the order in which they are to come. */
  produce(count: number): Promise<readonly string[]>
  /** Topics that the things come in. */
  readonly topics: readonly string[]
  /** Which thing a record stands for; undefined for one that stands for none (a tombstone, a heartbeat). */
  idOf(record: ReadRecord): string | undefined
  /** Ends what the last source holds of the outer system, as the end of its process would (connections, locks). */
  kill?(): Promise<void>
  /** Whether things come in the order in which they were produced, over all topics of one partition. Default true. */
  readonly ordered?: boolean
  /** How long to wait for what should come, milliseconds. Default 20,000. */
  readonly patienceMs?: number
  close(): Promise<void>
}

/**
 * What every source promises, run by this runtime: whatever happens to the process, each thing comes once. `make` is called once per case.
 *
 * ```ts
 * for (const { name, run } of sourceContract(makeMine)) it(name, run)
 * ```
 */
export function sourceContract(make: () => Promise<SourceUnderTest>): readonly ContractCase[] {
  const cases: [string, (scene: SourceScene) => Promise<void>][] = [
    ['brings everything, and goes on after a clean stop', stopAndGoOn],
    ['brings large amounts in transactions of any size', largeAmounts],
    ['moves nothing while it is paused', pause],
    ['is told only of what the log holds', acknowledgements],
    ...SOURCE_STEPS.flatMap((step) =>
      [1, 3].map((times): [string, (scene: SourceScene) => Promise<void>] => [
        `killed at ${step}, time ${times}: nothing is lost or doubled`,
        (scene) => killAt(scene, new Freezer(step, times))
      ])
    ),
    ...(['source:transaction-begun', 'source:records-written', 'source:positions-written'] as const).map(
      (step): [string, (scene: SourceScene) => Promise<void>] => [
        `a zombie that wakes at ${step} is fenced`,
        (scene) => zombie(scene, new Freezer(step, 2))
      ]
    )
  ]
  return cases.map(([name, check]) => ({
    name,
    run: async () => {
      const scene = new SourceScene(await make(), await CrashingLog.open())
      try {
        await check(scene)
      } finally {
        await scene.close()
      }
    }
  }))
}

/** An engine whose files die with the simulated process; LevelDB's would stay locked by this one. */
const engine = (path: string, environment: Environment) => FileEngine.open(path, environment)
const FAST = { commitInterval: 5, backoff: { firstMs: 5, maxMs: 50 }, engine } as const

class SourceScene {
  readonly under: SourceUnderTest
  readonly log: CrashingLog
  readonly ids: string[] = []

  constructor(under: SourceUnderTest, log: CrashingLog) {
    this.under = under
    this.log = log
  }

  connector(options: Partial<SourceConnector> = {}): SourceConnector {
    return { ...FAST, ...this.under.options, source: this.under.source(), ...options }
  }

  async produce(count: number): Promise<void> {
    this.ids.push(...(await this.under.produce(count)))
  }

  /** The ids on the log, as often as they are there. */
  async arrived(): Promise<string[]> {
    const ids: string[] = []
    for (const topic of this.under.topics) {
      for (const record of await this.log.contents(topic)) {
        const id = this.under.idOf(record)
        if (id !== undefined) ids.push(id)
      }
    }
    return ids
  }

  /** Waits until everything has come, and checks that it came once, in order. */
  async everythingOnce(): Promise<void> {
    const arrived = await eventually(
      `${this.ids.length} things on the log`,
      () => this.arrived(),
      (ids) => new Set(ids).size >= new Set(this.ids).size,
      this.under.patienceMs
    )
    if (this.under.ordered === false) assert.deepEqual(arrived.toSorted(), this.ids.toSorted())
    else assert.deepEqual(arrived, this.ids)
  }

  async close(): Promise<void> {
    await this.log.close()
    await this.under.close()
  }
}

async function stopAndGoOn(scene: SourceScene): Promise<void> {
  await scene.produce(10)
  const first = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  await scene.produce(10)
  await scene.everythingOnce()
  await first.close()
  await scene.produce(10)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
}

async function largeAmounts(scene: SourceScene): Promise<void> {
  await scene.produce(2000)
  const first = await scene.log.run(scene.connector({ transactionRecords: 1, transactionBytes: 1 }))
  await scene.everythingOnce()
  await first.close()
  await scene.produce(2000)
  await scene.log.run(scene.connector({ commitInterval: 50 }))
  await scene.everythingOnce()
}

async function pause(scene: SourceScene): Promise<void> {
  await scene.produce(5)
  const app = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  const [connector] = app.connectors
  await connector.pause()
  await scene.produce(5)
  // One read may have been waiting when it was paused. What comes of it is kept as everything is; only a second one must not follow.
  await scene.produce(5)
  assert.equal(connector.state.status, 'paused')
  await connector.resume()
  await scene.everythingOnce()
}

/** `committed` may only be called with positions that a reader of committed data finds. */
async function acknowledgements(scene: SourceScene): Promise<void> {
  const told: { readonly split: string; readonly position: string }[] = []
  const premature: string[] = []
  const { source } = scene.connector()
  const watched: Source<unknown> = {
    name: source.name,
    open: async (positions, context) => {
      const reader = await source.open(positions, context)
      const committed = async (newest: ReadonlyMap<string, unknown>) => {
        const onLog = await storedPositions(scene.log)
        for (const [split, position] of newest) {
          const text = JSON.stringify(position)
          told.push({ split, position: text })
          if (!onLog.has(`${split} ${text}`)) premature.push(`${split} ${text}`)
        }
        await reader.committed(newest)
      }
      const lag = reader.lag === undefined ? {} : { lag: () => reader.lag?.() }
      return { read: () => reader.read(), close: () => reader.close(), committed, ...lag }
    }
  }
  await scene.produce(20)
  const app = await scene.log.run(scene.connector({ source: watched }))
  await scene.everythingOnce()
  await scene.produce(20)
  await scene.everythingOnce()
  await app.close()
  assert.deepEqual(premature, [])
  assert.ok(told.length > 0, 'the source was told of nothing')
}

async function killAt(scene: SourceScene, freezer: Freezer): Promise<void> {
  await scene.produce(20)
  await scene.log.run(scene.connector({ transactionRecords: 5 }), freezer)
  let more = true
  const feeding = (async () => {
    // So that steps are reached again, of a source that has all it was given in one transaction.
    for (let i = 0; more && i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (more) await scene.produce(2)
    }
  })()
  // Not while it is fed: a thing may be on the log before the one who gave it has heard so.
  await Promise.race([freezer.frozen, feeding.then(() => scene.everythingOnce())])
  more = false
  await feeding
  await scene.under.kill?.()
  await scene.log.crash()
  await scene.produce(10)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
}

async function zombie(scene: SourceScene, freezer: Freezer): Promise<void> {
  await scene.produce(5)
  const sleeping = await scene.log.run(scene.connector({ transactionRecords: 1 }), freezer)
  let fed = 0
  await eventually(
    'the step of the zombie',
    async () => {
      if (fed++ < 200) await scene.produce(1)
      return Promise.race([freezer.frozen, Promise.resolve('not yet')])
    },
    (answer) => answer === 'frozen',
    scene.under.patienceMs
  )
  await scene.log.run(scene.connector())
  await scene.produce(5)
  await eventually(
    'the heir to have fenced the zombie, or to wait for what it holds',
    () => scene.log.contents(OFFSETS_TOPIC),
    () => true
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  freezer.thaw()
  await eventually(
    'the zombie to notice',
    () => sleeping.connectors[0].state.status,
    (status) => status === 'fenced',
    scene.under.patienceMs
  )
  await scene.everythingOnce()
}

/** Every position that was ever committed, as `split position`. */
async function storedPositions(log: CrashingLog): Promise<Set<string>> {
  const found = new Set<string>()
  for (const { key, value, partition, offset } of await log.contents(OFFSETS_TOPIC)) {
    const [, split] = parsePositionKey(key, { topic: OFFSETS_TOPIC, partition, offset })
    found.add(`${split} ${value}`)
  }
  return found
}
