import { SeededRandom } from '@millrace/log/testing'
import { COMMIT_STEPS } from '@millrace/streams'
import type { GoldenCase } from '../case.ts'
import { interpret } from '../interpret.ts'
import type { CaseOutcome } from '../run-case.ts'
import { inputTopics, outputTopics } from './case-topics.ts'
import { compareStores, partKept } from './compare-stores.ts'
import { OutputsAsKept } from './outputs-as-kept.ts'
import { keptInPartitions } from './raced.ts'
import { RuntimeRun } from './runtime-run.ts'

/**
 * The case on an embedded log in a machine that crashes once a record: at a step of the commit that covers it, or when that is done. After each crash all
 * state is restored from the changelogs. Every record's output must be what Kafka Streams answered, neither missing nor twice; of what answers of a
 * foreign-key join supersede on their way, the last for each key.
 */
export async function runWithCrashes(golden: GoldenCase): Promise<CaseOutcome> {
  const random = new SeededRandom(golden.name)
  const run = await RuntimeRun.open(interpret(golden.topology, { staleAnswers: 'repeated' }), {
    seed: random.uint32(),
    inputs: inputTopics(golden),
    outputs: outputTopics(golden)
  })
  const kept = keptInPartitions(golden, 1)
  const [cameSoFar, wantedSoFar] = [1, 2].map(() => new OutputsAsKept(kept.topics, 'of all'))
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
    const came = cameSoFar.next(
      outputs.map(({ topic, key, value, timestamp }) => [index, topic, key, value, timestamp])
    )
    const wanted = wantedSoFar.next(expected.get(index) ?? [])
    if (came === wanted) continue
    return {
      kind: 'failed',
      difference: `at input ${index} ${JSON.stringify(input)}, ${run.crashes} crashes: came ${came}, expected ${wanted}`
    }
  }
  const difference = await compareStores(golden, run, partKept(kept.stores))
  return difference === undefined ? { kind: 'passed' } : { kind: 'failed', difference }
}
