import type { Header } from '@millrace/log'
import type { ContractCase } from '@millrace/log/testing'
import type { SinkConnector } from '../runtime/connector.ts'
import { SINK_STEPS } from '../runtime/steps.ts'
import type { Sink } from '../sink.ts'
import { CrashingLog, Freezer } from './crashing-log.ts'
import {
  deadLetterPoison,
  deliverInPieces,
  goesAway,
  killAt,
  killWithin,
  redeliver,
  schemaChange,
  shareAndGiveBack,
  slowTarget,
  stopAndGoOn,
  stopAtPoison,
  topicMadeAnew,
  zombie
} from './sink-cases.ts'
import { SinkScene } from './sink-scene.ts'

/** Key, value and headers of a record for a sink. */
export interface SinkRecordContent {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly Header[]
}

/** A sink under test, and the target that it writes to. */
export interface SinkUnderTest {
  /** The sink, made anew for each run, over the same target. Always of the same name. */
  sink(): Sink
  /** How to run it beyond the defaults: transforms, sizes of batches. */
  readonly options?: Omit<SinkConnector, 'sink' | 'topics'>
  /** Topic that it is to read. Default `in`. */
  readonly topic?: string
  /**
   * What of the records is to be in the target: the last content of each id (`upsert`; null deletes), or every record (`append`; no null is
   * given, and ids are unique).
   */
  readonly mode: 'upsert' | 'append'
  /** A record that puts the content under the id. */
  record(id: string, content: string | null): SinkRecordContent
  /** What the target holds: id and content of each row, repeats included. */
  read(): Promise<readonly (readonly [id: string, content: string])[]>
  /** A record that the target can never take. */
  poison?(): SinkRecordContent
  /** Each change that the target has seen, told apart by text: of a transactional sink none may come twice. */
  changes?(): Promise<readonly string[]>
  /** Makes the target unreachable until `back`. */
  away?(): Promise<void>
  back?(): Promise<void>
  /** From now on `record` gives records of a newer schema, which the target has to follow. */
  changeSchema?(): Promise<void>
  /**
   * Ends what the last sink holds of the target, as the end of its process would (connections, locks). Without it, what it has begun goes on beside its
   * heir.
   */
  kill?(): Promise<void>
  /** How long to wait for what should come, milliseconds. Default 20,000. */
  readonly patienceMs?: number
  close(): Promise<void>
}

type Case = readonly [name: string, check: (scene: SinkScene) => Promise<void>]

/**
 * What every sink promises, run by this runtime: whatever happens to the process or the target, each record is in the target, once in effect. `make` is
 * called once per case.
 *
 * ```ts
 * for (const { name, run } of sinkContract(makeMine)) it(name, run)
 * ```
 */
export function sinkContract(make: () => Promise<SinkUnderTest>): readonly ContractCase[] {
  return CASES.map(([name, check]) => ({
    name,
    run: async () => {
      const scene = new SinkScene(await make(), await CrashingLog.open())
      try {
        await check(scene)
      } finally {
        await scene.close()
      }
    }
  }))
}

const CASES: readonly Case[] = [
  ['delivers everything, and goes on after a clean stop', stopAndGoOn],
  ['delivers in batches of any size, and goes on', deliverInPieces],
  ['a redelivery leaves the target as it is', redeliver],
  ['a topic that was deleted and made anew is no old acquaintance', topicMadeAnew],
  ['runners of one name share the partitions, and give them back', shareAndGiveBack],
  ['a poisonous record is put aside once, with its bytes, and the rest delivered', deadLetterPoison],
  ['a poisonous record stops it by default, with everything before it delivered', stopAtPoison],
  ['a slow target gets everything', slowTarget],
  ['a target that goes away gets everything when it is back', goesAway],
  ['a newer schema is followed', schemaChange],
  ...SINK_STEPS.flatMap((step) =>
    [1, 2].map(
      (times): Case => [
        `killed at ${step}, time ${times}: nothing is lost or doubled`,
        (scene) => killAt(scene, new Freezer(step, times))
      ]
    )
  ),
  ...[0, 3, 30, 300].map(
    (turns): Case => [
      `killed within a write, ${turns} turns of the event loop after it began: all of it is there, or nothing`,
      (scene) => killWithin(scene, turns)
    ]
  ),
  ['a zombie that wakes behind its heir writes nothing', (scene) => zombie(scene, new Freezer('sink:batch-taken', 2))]
]
