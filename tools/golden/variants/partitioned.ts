import { SeededRandom } from '@millrace/log/testing'
import type { GoldenCase } from '../case.ts'
import { interpret } from '../interpret.ts'
import type { CaseOutcome } from '../run-case.ts'
import { inputTopics, outputTopics } from './case-topics.ts'
import { compareStores, partKept } from './compare-stores.ts'
import { OutputsAsKept } from './outputs-as-kept.ts'
import { keptInPartitions } from './raced.ts'
import { RuntimeRun } from './runtime-run.ts'

const PARTITIONS = 3

/**
 * The case on an embedded log whose topics have three partitions, record by record. What each record causes must be what Kafka Streams answered, for
 * every key in that order; the keys, in several partitions, have no order between them. Where what comes from several partitions supersedes one another, only
 * the last for each key counts; where its order is seen, nothing of it.
 */
export async function runPartitioned(golden: GoldenCase): Promise<CaseOutcome> {
  const random = new SeededRandom(golden.name)
  const run = await RuntimeRun.open(interpret(golden.topology, { staleAnswers: 'repeated' }), {
    seed: random.uint32(),
    inputs: inputTopics(golden),
    outputs: outputTopics(golden),
    partitions: PARTITIONS
  })
  const kept = keptInPartitions(golden, PARTITIONS)
  const [cameSoFar, wantedSoFar] = [1, 2].map(() => new OutputsAsKept(kept.topics, 'of keys'))
  const expected = Map.groupBy(golden.output, ([input]) => input)
  for (const [index, input] of golden.input.entries()) {
    if ('wallClockMs' in input) run.advanceWallClock(input.wallClockMs)
    else {
      const [topic, key, value, timestamp] = input
      await run.feed({ topic, key, value, timestamp })
    }
    await run.settle()
    const outputs = await run.readOutputs()
    const came = cameSoFar.next(
      outputs.map(({ topic, key, value, timestamp }) => [index, topic, key, value, timestamp])
    )
    const wanted = wantedSoFar.next(expected.get(index) ?? [])
    if (came === wanted) continue
    return {
      kind: 'failed',
      difference: `at input ${index} ${JSON.stringify(input)}: came ${came}, expected ${wanted}`
    }
  }
  const difference = await compareStores(golden, run, partKept(kept.stores))
  return difference === undefined ? { kind: 'passed' } : { kind: 'failed', difference }
}
