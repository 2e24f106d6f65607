import { string } from '@millrace/streams'
import { type TestOutput, TopologyTestDriver } from '@millrace/streams/testing'
import type { GoldenCase, GoldenEntry, GoldenInput, GoldenOutput } from './case.ts'
import { UnsupportedOperatorError } from './case-results.ts'
import { interpret } from './interpret.ts'
import { outputTopics } from './variants/case-topics.ts'

/** How one case went. */
export type CaseOutcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'skipped'; readonly operator: string }
  | { readonly kind: 'failed'; readonly difference: string }

/** Builds the case's topology, feeds its input one by one, and compares what came with what Kafka Streams answered. */
export async function runCase(golden: GoldenCase): Promise<CaseOutcome> {
  if (golden.refused !== undefined) return { kind: 'skipped', operator: 'a topology that Kafka Streams refuses' }
  let driver: TopologyTestDriver
  try {
    driver = await openDriver(golden)
  } catch (error) {
    if (error instanceof UnsupportedOperatorError) return { kind: 'skipped', operator: error.operator }
    return { kind: 'failed', difference: `its topology was refused: ${String(error)}` }
  }
  try {
    const difference = (await compareOutput(golden, driver)) ?? (await compareStores(golden, driver))
    return difference === undefined ? { kind: 'passed' } : { kind: 'failed', difference }
  } catch (error) {
    return { kind: 'failed', difference: `the topology threw: ${String(error)}` }
  } finally {
    await driver.close()
  }
}

/** A test driver of the case's topology. */
export async function openDriver({ topology }: Pick<GoldenCase, 'topology'>): Promise<TopologyTestDriver> {
  return TopologyTestDriver.open(interpret(topology), { oneTask: true })
}

/** Pipes one record in, or moves the wall clock. */
export async function feedDriver(driver: TopologyTestDriver, input: GoldenInput): Promise<void> {
  if ('wallClockMs' in input) return driver.advanceWallClock(input.wallClockMs)
  const [topic, key, value, timestamp] = input
  await driver.input<string, string>(topic, TEXT).pipe(key, value, timestamp)
}

async function compareOutput(golden: GoldenCase, driver: TopologyTestDriver): Promise<string | undefined> {
  const outputs = outputTopics(golden).map((topic) => driver.output<string, string>(topic))
  const expected = Map.groupBy(golden.output, ([input]) => input)
  for (const [index, input] of golden.input.entries()) {
    await feedDriver(driver, input)
    const came = JSON.stringify(outputs.flatMap((output) => readOutput(index, output)))
    const wanted = JSON.stringify(expected.get(index) ?? [])
    if (came !== wanted) return `at input ${index} ${JSON.stringify(input)}: came ${came}, expected ${wanted}`
  }
  return undefined
}

async function compareStores({ stores = {} }: GoldenCase, driver: TopologyTestDriver): Promise<string | undefined> {
  for (const [name, entries] of Object.entries(stores)) {
    const all = await driver.store<string, unknown>(name).all()
    const came = JSON.stringify(all.map(({ key, value, timestamp }): GoldenEntry => [key, String(value), timestamp]))
    const wanted = JSON.stringify(entries)
    if (came !== wanted) return `store ${name} at the end: came ${came}, expected ${wanted}`
  }
  return undefined
}

const TEXT = { key: string(), value: string() }

/** What came since the last call, as cases have it. */
export function readOutput(input: number, output: TestOutput<string, string>): GoldenOutput[] {
  return output.readAll().map(({ key, value, timestamp }) => [input, output.topic, key, value, timestamp])
}
