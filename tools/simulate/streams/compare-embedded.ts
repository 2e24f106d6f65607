import { TopologyTestDriver } from '@millrace/streams/testing'
import type { GoldenOutput } from '../../golden/case.ts'
import { interpret } from '../../golden/interpret.ts'
import { feedDriver } from '../../golden/run-case.ts'
import { inputTopics, outputTopics } from '../../golden/variants/case-topics.ts'
import { type Kept, keptInPartitions } from '../../golden/variants/raced.ts'
import { RuntimeRun } from '../../golden/variants/runtime-run.ts'
import type { RandomCase } from './random-case.ts'

/**
 * Feeds the case, record by record, to the test driver and to the runtime on an embedded log with one partition. What each record causes must be the same,
 * every update of every key in its order; records of several keys, which internal topics bring together, have none.
 * @returns the first difference.
 */
export async function compareEmbedded(given: RandomCase, seed: number): Promise<string | undefined> {
  const outputs = outputTopics(given)
  const { topics: kept } = keptInPartitions(given, 1)
  const driver = await TopologyTestDriver.open(interpret(given.topology))
  try {
    const run = await RuntimeRun.open(interpret(given.topology), { seed, inputs: inputTopics(given), outputs })
    const readers = outputs.map((topic) => driver.output<string, string>(topic))
    for (const [index, input] of given.input.entries()) {
      await feedDriver(driver, input)
      if ('wallClockMs' in input) run.advanceWallClock(input.wallClockMs)
      else {
        const [topic, key, value, timestamp] = input
        await run.feed({ topic, key, value, timestamp })
      }
      await run.settle()
      const ofDriver = readers.flatMap((reader) =>
        reader.readAll().map((record) => ({ topic: reader.topic, ...record }))
      )
      const wanted = byKey(ofDriver, kept, index)
      const came = byKey(await run.readOutputs(), kept, index)
      if (came !== wanted) {
        return `at input ${index} ${JSON.stringify(input)} the driver says ${wanted}, the runtime on an embedded log ${came}`
      }
    }
    return undefined
  } finally {
    await driver.close()
  }
}

interface Written {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

function byKey(records: readonly Written[], kept: ReadonlyMap<string, Kept>, index: number): string {
  const keys = Map.groupBy(records, ({ topic, key }) => JSON.stringify([topic, key]))
  const rows = [...keys].sort(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify(
    rows.flatMap(([, updates]) => {
      const what = kept.get(updates[0].topic)
      const compared = what === 'every' ? updates : what === 'last' ? updates.slice(-1) : []
      return compared.map(({ topic, key, value, timestamp }): GoldenOutput => [index, topic, key, value, timestamp])
    })
  )
}
