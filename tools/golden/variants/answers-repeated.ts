import { TopologyTestDriver } from '@millrace/streams/testing'
import type { GoldenCase, GoldenEntry, GoldenOutput } from '../case.ts'
import { interpret } from '../interpret.ts'
import { feedDriver, readOutput } from '../run-case.ts'
import { outputTopics } from './case-topics.ts'

/**
 * The case with what the test driver answers where foreign-key joins ask again for answers that come too late. Kafka Streams drops these, and with
 * them some deletions (decision 0014): which rows stay then depends on when answers are read, and nothing that reads them otherwise can be compared with
 * it. A case without such a join is as it was recorded.
 */
export async function withAnswersRepeated(golden: GoldenCase): Promise<GoldenCase> {
  if (golden.topology.every(({ foreignKeyFn }) => foreignKeyFn === undefined)) return golden
  const driver = await TopologyTestDriver.open(interpret(golden.topology, { staleAnswers: 'repeated' }), {
    oneTask: true
  })
  try {
    const outputs = outputTopics(golden).map((topic) => driver.output<string, string>(topic))
    const output: GoldenOutput[] = []
    for (const [index, input] of golden.input.entries()) {
      await feedDriver(driver, input)
      output.push(...outputs.flatMap((each) => readOutput(index, each)))
    }
    const stores: Record<string, readonly GoldenEntry[]> = {}
    for (const name of Object.keys(golden.stores ?? {})) {
      const rows = await driver.store<string, unknown>(name).all()
      stores[name] = rows.map(({ key, value, timestamp }): GoldenEntry => [key, String(value), timestamp])
    }
    return { ...golden, output, ...(golden.stores && { stores }) }
  } finally {
    await driver.close()
  }
}
