import { TopologyTestDriver } from '@millrace/streams/testing'
import type { GoldenOutput } from '../../golden/case.ts'
import { interpret } from '../../golden/interpret.ts'
import { feedDriver } from '../../golden/run-case.ts'
import { inputTopics, outputTopics } from '../../golden/variants/case-topics.ts'
import { OutputsAsKept } from '../../golden/variants/outputs-as-kept.ts'
import { keptInPartitions } from '../../golden/variants/raced.ts'
import { type FedRecord, RuntimeRun } from '../../golden/variants/runtime-run.ts'
import type { RandomCase } from './random-case.ts'

/**
 * Feeds the case, record by record, to the test driver and to the runtime on an embedded log with one partition. What each record causes must be the same,
 * every update of every key in its order; records of several keys, which internal topics bring together, have none.
 * @returns the first difference.
 */
export async function compareEmbedded(given: RandomCase, seed: number): Promise<string | undefined> {
  const outputs = outputTopics(given)
  const { topics: kept } = keptInPartitions(given, 1)
  const [ofDriver, ofRuntime] = [1, 2].map(() => new OutputsAsKept(kept, 'of keys'))
  const driver = await TopologyTestDriver.open(interpret(given.topology, { staleAnswers: 'repeated' }))
  try {
    const run = await RuntimeRun.open(interpret(given.topology, { staleAnswers: 'repeated' }), {
      seed,
      inputs: inputTopics(given),
      outputs
    })
    const readers = outputs.map((topic) => driver.output<string, string>(topic))
    for (const [index, input] of given.input.entries()) {
      await feedDriver(driver, input)
      if ('wallClockMs' in input) run.advanceWallClock(input.wallClockMs)
      else {
        const [topic, key, value, timestamp] = input
        await run.feed({ topic, key, value, timestamp })
      }
      await run.settle()
      const fromDriver = readers.flatMap((reader) =>
        reader.readAll().map((record) => ({ topic: reader.topic, ...record }))
      )
      const wanted = ofDriver.next(fromDriver.map((record) => outputOf(record, index)))
      const came = ofRuntime.next((await run.readOutputs()).map((record) => outputOf(record, index)))
      if (came !== wanted) {
        return `at input ${index} ${JSON.stringify(input)} the driver says ${wanted}, the runtime on an embedded log ${came}`
      }
    }
    return undefined
  } finally {
    await driver.close()
  }
}

function outputOf({ topic, key, value, timestamp }: FedRecord, index: number): GoldenOutput {
  return [index, topic, key, value, timestamp]
}
