import { SeededRandom } from '@millrace/log/testing'
import type { GoldenCase, GoldenOutput } from '../case.ts'
import { interpret } from '../interpret.ts'
import type { CaseOutcome } from '../run-case.ts'
import { inputTopics, outputTopics } from './case-topics.ts'
import { compareStores } from './compare-stores.ts'
import { RuntimeRun } from './runtime-run.ts'

const PARTITIONS = 3

/**
 * The case on an embedded log whose topics have three partitions, record by record. What each record causes must be what Kafka Streams answered, for
 * every key in that order; the keys, in several partitions, have no order between them. Behind a foreign-key join, whose answers come from several partitions
 * and supersede one another, only the last for each key counts.
 */
export async function runPartitioned(golden: GoldenCase): Promise<CaseOutcome> {
  const random = new SeededRandom(golden.name)
  const run = await RuntimeRun.open(interpret(golden.topology), {
    seed: random.uint32(),
    inputs: inputTopics(golden),
    outputs: outputTopics(golden),
    partitions: PARTITIONS
  })
  const racing = golden.topology.some(({ foreignKeyFn }) => foreignKeyFn !== undefined)
  const expected = Map.groupBy(golden.output, ([input]) => input)
  for (const [index, input] of golden.input.entries()) {
    if ('wallClockMs' in input) run.advanceWallClock(input.wallClockMs)
    else {
      const [topic, key, value, timestamp] = input
      await run.feed({ topic, key, value, timestamp })
    }
    await run.settle()
    const outputs = await run.readOutputs()
    const came = byKey(
      outputs.map(({ topic, key, value, timestamp }) => [index, topic, key, value, timestamp]),
      racing
    )
    const wanted = byKey(expected.get(index) ?? [], racing)
    if (came === wanted) continue
    return {
      kind: 'failed',
      difference: `at input ${index} ${JSON.stringify(input)}: came ${came}, expected ${wanted}`
    }
  }
  const difference = await compareStores(golden, run)
  return difference === undefined ? { kind: 'passed' } : { kind: 'failed', difference }
}

/** Keeps the order of each key of a topic, and only that; or of each key the last record. */
function byKey(outputs: readonly GoldenOutput[], lastOnly: boolean): string {
  const keys = Map.groupBy(outputs, ([, topic, key]) => JSON.stringify([topic, key]))
  return JSON.stringify(
    [...keys]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([, records]) => records.slice(lastOnly ? -1 : 0))
  )
}
