import { SeededRandom } from '@millrace/log/testing'
import type { GoldenCase } from '../case.ts'
import { interpret } from '../interpret.ts'
import type { CaseOutcome } from '../run-case.ts'
import { inputTopics, outputTopics } from './case-topics.ts'
import { compareStores } from './compare-stores.ts'
import { withoutZeros } from './grouping.ts'
import { RuntimeRun } from './runtime-run.ts'

/** With this, some ten records are one commit, now more, now fewer. */
const COMMIT_INTERVAL_MS = 40

interface LastValue {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
}

/**
 * The case on an embedded log with `emit: 'commit'` wherever it can be said, and many records a commit. The last value of every key, in the topics
 * written and in the stores, must be what Kafka Streams answered; a deletion and a key that never was are the same,
 * and so is a count of rows that came and went.
 */
export async function runWithCommits(golden: GoldenCase): Promise<CaseOutcome> {
  const random = new SeededRandom(golden.name)
  const run = await RuntimeRun.open(interpret(golden.topology, { emit: 'commit', staleAnswers: 'repeated' }), {
    seed: random.uint32(),
    inputs: inputTopics(golden),
    outputs: outputTopics(golden),
    commitIntervalMs: COMMIT_INTERVAL_MS
  })
  for (const input of golden.input) {
    if ('wallClockMs' in input) {
      // What is punctuated now is what came before.
      await run.settle()
      run.advanceWallClock(input.wallClockMs)
      await run.settle()
      continue
    }
    const [topic, key, value, timestamp] = input
    await run.feed({ topic, key, value, timestamp })
    await run.processed()
  }
  await run.settle()
  const noZeros = withoutZeros(golden)
  const counts = (name: string, value: string | null): boolean =>
    value !== null && !(value === '0' && noZeros.has(name))
  const lastValues = (records: readonly LastValue[]) =>
    lastRows(records, ({ topic, value }) => counts(`topic:${topic}`, value))
  const came = lastValues(await run.readOutputs())
  const wanted = lastValues(golden.output.map(([, topic, key, value]) => ({ topic, key, value })))
  const { commits } = run
  if (came !== wanted)
    return { kind: 'failed', difference: `after ${commits} commits came ${came}, expected ${wanted}` }
  const difference = await compareStores(golden, run, ([key, value], store) =>
    counts(`store:${store}`, value) ? [key, value] : undefined
  )
  return difference === undefined ? { kind: 'passed' } : { kind: 'failed', difference }
}

function lastRows(records: readonly LastValue[], isThere: (row: LastValue) => boolean): string {
  const last = new Map<string, LastValue>()
  for (const { topic, key, value } of records) last.set(JSON.stringify([topic, key]), { topic, key, value })
  const rows = [...last].filter(([, row]) => isThere(row)).map(([name, { value }]) => `${name}: ${value}`)
  return rows.sort().join('; ')
}
