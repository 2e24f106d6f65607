import { runConnectors, type Source, type SourceContext, type SourceRecord } from '@millrace/connectors'
import type { Log } from '@millrace/log'
import type { SeededRandom } from '@millrace/log/testing'
import { readLine } from '../../../examples/01-click-aggregator/click-source.ts'
import type { ClickInput } from './click-input.ts'

const PATH = '/access.log'
const LONGEST_PAUSE_MS = 6
/** Few lines at a time, so that a life has many transactions to be killed in. */
const MOST_LINES = 8
const LONGEST_COMMIT_INTERVAL_MS = 8

/** How much of the file is read. */
export interface FeederPosition {
  readonly position: number
  readonly lines: number
}

/**
 * The example's source over a file in memory, run as every source is: lines and the position behind them in one transaction. Batches of random length
 * at random times.
 * @returns what was read by this and all earlier lives.
 */
export async function feedClicks(log: Log, input: ClickInput, random: SeededRandom): Promise<FeederPosition> {
  let committed: FeederPosition = { position: 0, lines: 0 }
  const source: Source<FeederPosition> = {
    name: 'access-log',
    open: async (positions, context) => {
      committed = positions.get(PATH) ?? committed
      let next = committed
      return {
        read: async () => {
          if (next.position >= input.file.length || context.signal.aborted) return undefined
          await pause(context, random.between(0, LONGEST_PAUSE_MS))
          const batch = readBatch(input, next, 1 + random.below(MOST_LINES))
          next = batch.position
          return { records: batch.records, positions: new Map([[PATH, batch.position]]) }
        },
        committed: async (changed) => {
          committed = changed.get(PATH) ?? committed
        },
        close: async () => undefined
      }
    }
  }
  const commitInterval = 1 + random.below(LONGEST_COMMIT_INTERVAL_MS)
  const connectors = await runConnectors({ log, connectors: [{ source, commitInterval }] })
  await connectors.done
  await connectors.close()
  return committed
}

function readBatch(
  { file }: ClickInput,
  from: FeederPosition,
  most: number
): { readonly records: readonly SourceRecord[]; readonly position: FeederPosition } {
  const records: SourceRecord[] = []
  let { position, lines } = from
  for (let read = 0; read < most && position < file.length; read++) {
    const end = file.indexOf(0x0a, position)
    const text = file.toString('latin1', position, end < 0 ? file.length : end)
    position = end < 0 ? file.length : end + 1
    lines++
    const record = readLine({ text, tooLong: false, file: PATH, number: lines })
    if (record !== undefined) records.push(record)
  }
  return { records, position: { position, lines } }
}

function pause({ environment }: SourceContext, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    environment.timers.set(delayMs, resolve)
  })
}
