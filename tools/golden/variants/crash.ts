import { SeededRandom } from '@millrace/log/testing'
import { COMMIT_STEPS } from '@millrace/streams'
import type { GoldenCase, GoldenOutput } from '../case.ts'
import { interpret } from '../interpret.ts'
import type { CaseOutcome } from '../run-case.ts'
import { inputTopics, outputTopics } from './case-topics.ts'
import { compareStores } from './compare-stores.ts'
import { type Kept, keptInOnePartition } from './raced.ts'
import { RuntimeRun } from './runtime-run.ts'

/**
 * The case on an embedded log in a machine that crashes once a record: at a step of the commit that covers it, or when that is done. After each crash all
 * state is restored from the changelogs. Every record's output must be what Kafka Streams answered, neither missing nor twice; of what answers of a
 * foreign-key join supersede on their way, the last for each key.
 */
export async function runWithCrashes(golden: GoldenCase): Promise<CaseOutcome> {
  const random = new SeededRandom(golden.name)
  const run = await RuntimeRun.open(interpret(golden.topology), {
    seed: random.uint32(),
    inputs: inputTopics(golden),
    outputs: outputTopics(golden)
  })
  const kept = keptInOnePartition(golden)
  const expected = Map.groupBy(golden.output, ([input]) => input)
  for (const [index, input] of golden.input.entries()) {
    const crashesBefore = run.crashes
    const how = random.pick(['kill', 'power cut'] as const)
    if (random.chance(0.7)) run.crashAt({ how, step: random.pick(COMMIT_STEPS), passes: random.below(2) })
    if ('wallClockMs' in input) run.advanceWallClock(input.wallClockMs)
    else {
      const [topic, key, value, timestamp] = input
      await run.feed({ topic, key, value, timestamp })
    }
    await run.settle()
    if (run.crashes === crashesBefore) run.crash(how)
    const outputs = await run.readOutputs()
    const came = compared(
      outputs.map(({ topic, key, value, timestamp }): GoldenOutput => [index, topic, key, value, timestamp]),
      kept
    )
    const wanted = compared(expected.get(index) ?? [], kept)
    if (came === wanted) continue
    return {
      kind: 'failed',
      difference: `at input ${index} ${JSON.stringify(input)}, ${run.crashes} crashes: came ${came}, expected ${wanted}`
    }
  }
  const difference = await compareStores(golden, run)
  return difference === undefined ? { kind: 'passed' } : { kind: 'failed', difference }
}

/** All of the outputs, in their order, where every topic keeps every update; else what is kept, key by key: of the last ones, a deletion may be of nothing. */
function compared(outputs: readonly GoldenOutput[], kept: ReadonlyMap<string, Kept>): string {
  if ([...kept.values()].every((what) => what === 'every')) return JSON.stringify(outputs)
  const keys = Map.groupBy(outputs, ([, topic, key]) => JSON.stringify([topic, key]))
  const rows = [...keys]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, updates]) => {
      const what = kept.get(updates[0][1])
      return what === 'every'
        ? updates
        : what === 'last'
          ? updates.slice(-1).filter(([, , , value]) => value !== null)
          : []
    })
  return JSON.stringify(rows)
}
