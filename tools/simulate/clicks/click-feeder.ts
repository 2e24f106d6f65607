import { type Log, type Producer, partitionForKey } from '@millrace/log'
import type { SeededRandom } from '@millrace/log/testing'
import { parseAccessLine } from '../../../examples/01-click-aggregator/access-log.ts'
import { addCounts, BAD_LINES_TOPIC, CLICKS_TOPIC } from '../../../examples/01-click-aggregator/log-reader.ts'
import {
  encodePosition,
  type FilePosition,
  NO_LINES,
  POSITIONS_TOPIC,
  readPositions
} from '../../../examples/01-click-aggregator/positions.ts'
import type { ClickInput } from './click-input.ts'

const PATH = '/access.log'
const LONGEST_PAUSE_MS = 6

/**
 * The example's file reader over a file in memory: lines and the position behind them in one transaction, the position read back after
 * `initTransactions`. Transactions of random length at random times.
 * @returns what was read by this and all earlier lives.
 */
export async function feedClicks(log: Log, input: ClickInput, random: SeededRandom): Promise<FilePosition> {
  const producer = log.producer({ transactionalId: 'access-log-reader', lingerMs: 1000 })
  await producer.initTransactions()
  let state = (await readPositions(log)).get(PATH) ?? START
  while (state.position < input.file.length) {
    state = await feedTransaction(producer, input, {
      state,
      lines: 1 + random.below(20),
      nowMs: log.environment.clock.nowMs()
    })
    await new Promise<void>((resolve) => {
      log.environment.timers.set(random.between(0, LONGEST_PAUSE_MS), resolve)
    })
  }
  await producer.close()
  return state
}

const START: FilePosition = { path: PATH, hash: '', hashedBytes: 0, position: 0, ...NO_LINES }

async function feedTransaction(
  producer: Producer,
  { file, partitions }: ClickInput,
  part: { readonly state: FilePosition; readonly lines: number; readonly nowMs: number }
): Promise<FilePosition> {
  producer.beginTransaction()
  const counts = { lines: 0, clicks: 0, ignored: 0, bad: 0 }
  let { position } = part.state
  while (counts.lines < part.lines && position < file.length) {
    const end = file.indexOf(0x0a, position)
    const line = file.toString('latin1', position, end < 0 ? file.length : end)
    position = end < 0 ? file.length : end + 1
    counts.lines++
    counts[feedLine(producer, line, { nowMs: part.nowMs, partitions })]++
  }
  const state = { ...part.state, ...addCounts([part.state, counts]), position }
  producer.enqueue(POSITIONS_TOPIC, 0, Buffer.from(PATH), encodePosition(state), part.nowMs)
  await producer.commitTransaction()
  return state
}

function feedLine(
  producer: Producer,
  line: string,
  { nowMs, partitions }: { readonly nowMs: number; readonly partitions: number }
): 'clicks' | 'ignored' | 'bad' {
  const parsed = parseAccessLine(line)
  if (parsed.kind === 'ignored') return 'ignored'
  if (parsed.kind === 'bad') {
    producer.enqueue(BAD_LINES_TOPIC, 0, null, Buffer.from(line, 'latin1'), nowMs)
    return 'bad'
  }
  const page = Buffer.from(parsed.page, 'latin1')
  const click = Buffer.from(`{"at":${parsed.timestampMs},"status":${parsed.status}}`)
  producer.enqueue(CLICKS_TOPIC, partitionForKey(page, partitions), page, click, parsed.timestampMs)
  return 'clicks'
}
