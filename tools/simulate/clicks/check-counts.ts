import { type Log, partitionForKey } from '@millrace/log'
import type { StreamsApp } from '@millrace/streams'
import { BAD_LINES_TOPIC, CLICKS_TOPIC } from '../../../examples/01-click-aggregator/click-source.ts'
import { readResults, toCsv, type WindowCount } from '../../../examples/01-click-aggregator/results.ts'
import { readCommitted } from '../../../examples/read-committed.ts'
import { countByOracle } from '../../../test/click-oracle.ts'
import { demand } from '../simulation.ts'
import type { FeederPosition } from './click-feeder.ts'
import type { ClickInput } from './click-input.ts'

/** Compares, when all input is counted: the results with an oracle, the totals with it, the store with the results. */
export async function checkCounts(
  log: Log,
  app: StreamsApp,
  { input, position }: { readonly input: ClickInput; readonly position: FeederPosition }
): Promise<void> {
  const oracle = countByOracle(input.file, input)
  const results = await readResults(log)
  const csv = toCsv(results)
  demand(csv.equals(oracle.csv), () => `the results are not the oracle's: ${difference(csv, oracle.csv)}`)
  const read = {
    lines: position.lines,
    clicks: await recordsOf(log, CLICKS_TOPIC),
    bad: await recordsOf(log, BAD_LINES_TOPIC)
  }
  for (const what of ['lines', 'clicks', 'bad'] as const) {
    demand(read[what] === oracle[what], () => `${read[what]} ${what} were read, the file has ${oracle[what]}`)
  }
  const late = app.metrics().droppedRecords.late ?? 0
  demand(late === oracle.late, () => `${late} clicks were late, not ${oracle.late}`)
  await checkStore(app, results, input.partitions)
}

async function recordsOf(log: Log, topic: string): Promise<number> {
  let count = 0
  await readCommitted(log, topic, () => {
    count++
  })
  return count
}

/** Everything in the store is the last result, and every window that may still change is in the store. */
async function checkStore(app: StreamsApp, results: readonly WindowCount[], partitions: number): Promise<void> {
  const partitionOf = (page: string) => partitionForKey(Buffer.from(page, 'latin1'), partitions)
  const stored = new Map<string, number>()
  for await (const { key, value, window } of app.store<Buffer, number>('clicks-per-page').all()) {
    stored.set(`${window?.startMs} ${key.toString('latin1')}`, Number(value))
  }
  const newest = new Array<number>(partitions).fill(0)
  for (const { page, windowStartMs } of results) {
    const partition = partitionOf(page)
    newest[partition] = Math.max(newest[partition], windowStartMs)
  }
  const left = new Map(stored)
  for (const { page, windowStartMs, count } of results) {
    const name = `${windowStartMs} ${page}`
    const inStore = stored.get(name)
    left.delete(name)
    const open = windowStartMs >= newest[partitionOf(page)]
    demand(
      inStore === count || (inStore === undefined && !open),
      () => `${name}: the store has ${inStore}, the topic ${count}`
    )
  }
  demand(left.size === 0, () => `the store has what the topic has not: ${[...left.keys()].join(', ')}`)
}

function difference(actual: Buffer, expected: Buffer): string {
  const rows = (csv: Buffer) => csv.toString('latin1').split('\r\n')
  const [ours, theirs] = [rows(actual), rows(expected)]
  const at = theirs.findIndex((row, i) => row !== ours[i])
  return `row ${at} is ${ours[at]}, should be ${theirs[at]}; ${ours.length} rows, should be ${theirs.length}`
}
