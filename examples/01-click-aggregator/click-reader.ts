import { ConnectorFailedError, runConnectors } from '@millrace/connectors'
import type { FilePosition } from '@millrace/connectors/file'
import type { Log } from '@millrace/log'
import { BAD_LINES_TOPIC, CLICKS_TOPIC, type ClickSourceOptions, clickSource } from './click-source.ts'
import { type LineCounts, NO_LINES } from './line-counts.ts'

/** Reads files into the log; `counts` grows as transactions commit. */
export interface ClickReader {
  /** Of this run. */
  readonly counts: LineCounts
  /** Of all runs over this log. */
  total(): LineCounts
  /** Resolves when all files are read to their ends (`untilEnd`), or after `stop`. @throws SourceFileError */
  readonly done: Promise<void>
  /** Ends after the transaction at hand. */
  stop(): void
}

/** Starts reading. */
export async function startClickReader(log: Log, options: ClickSourceOptions): Promise<ClickReader> {
  const files = clickSource(options)
  let before: LineCounts | undefined
  const source: typeof files = {
    ...files,
    open: (positions, context) => {
      before ??= countsOf(positions)
      return files.open(positions, context)
    }
  }
  const connectors = await runConnectors({ log, connectors: [{ source }] })
  connectors.connector(source.name).events$.subscribe(({ message }) => process.stderr.write(`${message}\n`))
  const ended = connectors.done.catch((error: unknown) => {
    // What the file's problem is needs no word about connectors.
    throw error instanceof ConnectorFailedError && error.cause instanceof Error ? error.cause : error
  })
  const total = () => countsOf(files.committed())
  return {
    get counts() {
      return difference(total(), before ?? NO_LINES)
    },
    total,
    done: ended.finally(() => connectors.close()),
    stop: () => void connectors.close()
  }
}

function countsOf(positions: ReadonlyMap<string, FilePosition>): LineCounts {
  let counts = NO_LINES
  for (const { allLines: lines, records } of positions.values()) {
    const clicks = records[CLICKS_TOPIC] ?? 0
    const bad = records[BAD_LINES_TOPIC] ?? 0
    counts = {
      lines: counts.lines + lines,
      clicks: counts.clicks + clicks,
      bad: counts.bad + bad,
      ignored: counts.ignored + lines - clicks - bad
    }
  }
  return counts
}

function difference(all: LineCounts, before: LineCounts): LineCounts {
  return {
    lines: all.lines - before.lines,
    clicks: all.clicks - before.clicks,
    bad: all.bad - before.bad,
    ignored: all.ignored - before.ignored
  }
}
