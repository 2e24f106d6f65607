import type { SourceRecord } from '@millrace/connectors'
import { type FileLine, type FileSource, fileSource } from '@millrace/connectors/file'
import { type Log, realEnvironment } from '@millrace/log'
import { parseAccessLine } from './access-log.ts'

/** Where clicks go, keyed by page. */
export const CLICKS_TOPIC = 'clicks'
/** Where lines go that are none of an access log; their headers say file, line and reason. */
export const BAD_LINES_TOPIC = 'clicks-bad-lines'
const CLICKS_PARTITIONS = 4
const LONGEST_LINE_BYTES = 1_000_000

/** For topics whose records have the times of clicks: they are kept even of 1995, and taken even when a server's clock ran ahead. */
export const CLICK_TIME_CONFIGS = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': String(2n ** 63n - 1n) }

/** Creates the topics of the job. */
export async function createClickTopics(log: Log): Promise<void> {
  const admin = log.admin()
  try {
    await admin.ensureTopic({ name: CLICKS_TOPIC, partitions: CLICKS_PARTITIONS, configs: CLICK_TIME_CONFIGS })
    await admin.ensureTopic({ name: 'clicks-per-window', partitions: CLICKS_PARTITIONS, configs: CLICK_TIME_CONFIGS })
    await admin.ensureTopic({ name: BAD_LINES_TOPIC, partitions: 1, configs: CLICK_TIME_CONFIGS })
  } finally {
    await admin.close()
  }
}

/** How to read. */
export interface ClickSourceOptions {
  readonly files: readonly string[]
  /** Stop at the files' ends, where an unterminated last line counts; else follow them as they grow. */
  readonly untilEnd: boolean
  readonly linesPerSecond: number | undefined
}

/** The clicks in access logs. */
export function clickSource({ files, untilEnd, linesPerSecond }: ClickSourceOptions): FileSource {
  return fileSource({
    name: 'access-log',
    files,
    // Also when the log is in memory.
    fileSystem: realEnvironment().files,
    untilEnd,
    ...(linesPerSecond !== undefined && { linesPerSecond }),
    encoding: 'latin1',
    longestLineBytes: LONGEST_LINE_BYTES,
    // Another file under a known name is more likely a mistake here than a rotated log.
    rotation: 'fail',
    parse: readLine
  })
}

/** A click, keyed by page; a line of no access log, as it is; nothing for requests that are no clicks. */
export function readLine(line: FileLine): SourceRecord | undefined {
  if (line.tooLong) return badLine(line, `longer than ${LONGEST_LINE_BYTES} bytes, of which the first are kept`)
  const parsed = parseAccessLine(line.text)
  if (parsed.kind === 'ignored') return undefined
  if (parsed.kind === 'bad') return badLine(line, parsed.reason)
  return {
    topic: CLICKS_TOPIC,
    key: Buffer.from(parsed.page, 'latin1'),
    value: Buffer.from(`{"at":${parsed.timestampMs},"status":${parsed.status}}`),
    timestamp: parsed.timestampMs
  }
}

function badLine({ file, number, text }: FileLine, reason: string): SourceRecord {
  const headers = Object.entries({ file, line: String(number), reason })
  return {
    topic: BAD_LINES_TOPIC,
    partition: 0,
    key: null,
    value: Buffer.from(text, 'latin1'),
    headers: headers.map(([key, value]) => ({ key, value: Buffer.from(value) }))
  }
}
