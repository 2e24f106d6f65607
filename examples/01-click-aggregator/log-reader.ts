import { type Log, type Producer, partitionForKey } from '@millrace/log'
import { type ParsedLine, parseAccessLine } from './access-log.ts'
import { InputFileError } from './errors.ts'
import {
  type FileIdentity,
  fileVersion,
  identifyFile,
  type LineBatch,
  LONGEST_LINE_BYTES,
  readLines
} from './line-reader.ts'
import {
  encodePosition,
  type FilePosition,
  type LineCounts,
  NO_LINES,
  POSITIONS_TOPIC,
  readPositions
} from './positions.ts'

/** Where clicks go, keyed by page. */
export const CLICKS_TOPIC = 'clicks'
/** Where lines go that are none of an access log; their headers say file, line and reason. */
export const BAD_LINES_TOPIC = 'clicks-bad-lines'
const CLICKS_PARTITIONS = 4
const TRANSACTION_LINES = 10_000
const PAUSE_AT_END_MS = 200

/** Reads files into the log; `counts` grows as transactions commit. */
export interface LogReader {
  /** Of this run. */
  readonly counts: LineCounts
  /** Of all runs over this log. */
  total(): LineCounts
  /** Resolves when all files are read to their ends (`untilEnd`), or after `stop`. */
  readonly done: Promise<void>
  /** Ends after the transaction at hand. */
  stop(): void
}

/** How to read. */
export interface LogReaderOptions {
  readonly files: readonly string[]
  /** Stop at the files' ends, where an unterminated last line counts; else follow them as they grow. */
  readonly untilEnd: boolean
  readonly linesPerSecond: number | undefined
}

/** For topics whose records have the times of clicks: they are kept even of 1995, and taken even when a server's clock ran ahead. */
export const CLICK_TIME_CONFIGS = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': String(2n ** 63n - 1n) }

/** Creates the topics of the job. */
export async function createClickTopics(log: Log): Promise<void> {
  const admin = log.admin()
  try {
    await admin.ensureTopic({ name: CLICKS_TOPIC, partitions: CLICKS_PARTITIONS, configs: CLICK_TIME_CONFIGS })
    await admin.ensureTopic({ name: 'clicks-per-window', partitions: CLICKS_PARTITIONS, configs: CLICK_TIME_CONFIGS })
    await admin.ensureTopic({ name: BAD_LINES_TOPIC, partitions: 1, configs: CLICK_TIME_CONFIGS })
    await admin.ensureTopic({ name: POSITIONS_TOPIC, partitions: 1, configs: { 'cleanup.policy': 'compact' } })
  } finally {
    await admin.close()
  }
}

/**
 * Starts reading. A file's lines and its position are written in one transaction, and the positions are read back committed after the
 * producer is initialized: whatever happens, each line is on the log exactly once.
 * @throws InputFileError when a file cannot be read, was replaced or shrank.
 */
export async function startLogReader(log: Log, options: LogReaderOptions): Promise<LogReader> {
  const producer = log.producer({ transactionalId: 'access-log-reader', lingerMs: 1000 })
  await producer.initTransactions()
  const positions = await readPositions(log)
  // A file is known by its real path: named twice, or by a link too, it is still read once.
  const files = new Map(options.files.map((file) => resumeFile(file, positions)).map((file) => [file.state.path, file]))
  const run = new ReaderRun(log, producer, options)
  const before = addCounts([...positions.values()])
  const done = run.read([...files.values()]).finally(() => producer.close())
  return {
    get counts() {
      return run.counts
    },
    total: () => addCounts([before, run.counts]),
    done,
    stop: () => run.stop()
  }
}

/** Adds counts up. */
export function addCounts(all: readonly LineCounts[]): LineCounts {
  return all.reduce<LineCounts>(
    (sum, counts) => ({
      lines: sum.lines + counts.lines,
      clicks: sum.clicks + counts.clicks,
      ignored: sum.ignored + counts.ignored,
      bad: sum.bad + counts.bad
    }),
    NO_LINES
  )
}

interface OpenFile {
  state: FilePosition
  /** As of the last time it was read to its end. */
  readVersion: string | undefined
}

function resumeFile(file: string, positions: ReadonlyMap<string, FilePosition>): OpenFile {
  const fresh = identifyFile(file)
  const known = positions.get(fresh.path) ?? { ...fresh, position: 0, ...NO_LINES }
  return { state: stillTheSame(known), readVersion: undefined }
}

/** The position, its identity widened when a short file has grown. */
function stillTheSame(known: FilePosition): FilePosition {
  const now: FileIdentity = identifyFile(known.path, known.hashedBytes)
  if (now.hash !== known.hash) {
    throw new InputFileError(
      known.path,
      `it was replaced: it begins with other bytes than the file that was read under this path. Give the new file another name`
    )
  }
  const fresh = identifyFile(known.path)
  return fresh.hashedBytes > known.hashedBytes ? { ...known, ...fresh } : known
}

class ReaderRun {
  counts: LineCounts = NO_LINES
  readonly #log: Log
  readonly #producer: Producer
  readonly #options: LogReaderOptions
  #stopped = false
  #wake: (() => void) | undefined
  readonly #pace: { readonly beganMs: number; lines: number }

  constructor(log: Log, producer: Producer, options: LogReaderOptions) {
    this.#log = log
    this.#producer = producer
    this.#options = options
    this.#pace = { beganMs: log.environment.clock.monotonicMs(), lines: 0 }
  }

  stop(): void {
    this.#stopped = true
    this.#wake?.()
  }

  async read(files: readonly OpenFile[]): Promise<void> {
    do {
      for (const file of files) {
        await this.#readToEnd(file)
        if (this.#stopped) return
      }
      if (!this.#options.untilEnd) await this.#pause(PAUSE_AT_END_MS)
    } while (!this.#options.untilEnd && !this.#stopped)
  }

  async #readToEnd(file: OpenFile): Promise<void> {
    const { untilEnd: takeRest, linesPerSecond } = this.#options
    // A pace shows when a transaction is a tenth of a second.
    const batchLines = Math.min(TRANSACTION_LINES, Math.ceil((linesPerSecond ?? Number.POSITIVE_INFINITY) / 10))
    const version = fileVersion(file.state.path)
    if (version === file.readVersion) return
    file.state = stillTheSame(file.state)
    const { path, position } = file.state
    for await (const batch of readLines(path, { position, takeRest, batchLines })) {
      await this.#writeLines(file, batch)
      if (this.#stopped) return
    }
    file.readVersion = version
  }

  async #writeLines(file: OpenFile, batch: LineBatch): Promise<void> {
    this.#producer.beginTransaction()
    const counts = { lines: 0, clicks: 0, ignored: 0, bad: 0 }
    for (const line of batch.lines) {
      counts.lines++
      counts[this.#writeLine(file, line, file.state.lines + counts.lines)]++
    }
    const state = { ...file.state, ...addCounts([file.state, counts]), position: batch.position }
    this.#producer.enqueue(POSITIONS_TOPIC, 0, Buffer.from(state.path), encodePosition(state), this.#nowMs())
    await this.#producer.commitTransaction()
    file.state = state
    this.counts = addCounts([this.counts, counts])
    await this.#keepPace(batch.lines.length)
  }

  #writeLine(file: OpenFile, line: string, lineNumber: number): 'clicks' | 'ignored' | 'bad' {
    const tooLong = line.length > LONGEST_LINE_BYTES
    const parsed: ParsedLine = tooLong
      ? { kind: 'bad', reason: `longer than ${LONGEST_LINE_BYTES} bytes, of which the first are kept` }
      : parseAccessLine(line)
    if (parsed.kind === 'ignored') return 'ignored'
    if (parsed.kind === 'bad') {
      const headers = Object.entries({ file: file.state.path, line: String(lineNumber), reason: parsed.reason })
      this.#producer.enqueue(
        BAD_LINES_TOPIC,
        0,
        null,
        Buffer.from(line.slice(0, LONGEST_LINE_BYTES), 'latin1'),
        this.#nowMs(),
        headers.map(([key, value]) => ({ key, value: Buffer.from(value) }))
      )
      return 'bad'
    }
    const page = Buffer.from(parsed.page, 'latin1')
    const click = Buffer.from(`{"at":${parsed.timestampMs},"status":${parsed.status}}`)
    this.#producer.enqueue(CLICKS_TOPIC, partitionForKey(page, CLICKS_PARTITIONS), page, click, parsed.timestampMs)
    return 'clicks'
  }

  async #keepPace(lines: number): Promise<void> {
    if (this.#options.linesPerSecond === undefined) return
    this.#pace.lines += lines
    const dueMs = this.#pace.beganMs + (this.#pace.lines / this.#options.linesPerSecond) * 1000
    const aheadMs = dueMs - this.#log.environment.clock.monotonicMs()
    if (aheadMs > 0) await this.#pause(aheadMs)
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      const timer = this.#log.environment.timers.set(delayMs, resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #nowMs(): number {
    return this.#log.environment.clock.nowMs()
  }
}
