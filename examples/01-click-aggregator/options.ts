import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Duration } from '@millrace/streams'
import { CommandLineError } from './errors.ts'

/** What the command line asks for. */
export interface ClickOptions {
  /** Access logs to read; none: the sample that comes with the example. */
  readonly files: readonly string[]
  /** Log URL: `file:` and the data directory unless `--log` names another. */
  readonly log: string
  readonly window: Duration
  readonly grace: Duration
  /** Rows of the live table. */
  readonly top: number
  /** Lines per second at most; undefined: as fast as it goes. */
  readonly linesPerSecond: number | undefined
  readonly untilEnd: boolean
  /** CSV file for the results. */
  readonly out: string | undefined
  readonly quiet: boolean
}

/** Printed for `--help` and after a wrong option. */
export const USAGE = `Counts the clicks per page and window in web server access logs, each exactly once.

  npm start                        the sample log that comes with the example
  npm start -- FILE… [options]     Common or Combined Log Format, gzip too

  --data DIR      where log and state are kept       (./data)
  --log URL       another log, e.g. memory:          (file:DIR)
  --window 1m     size of a window                   (1m)
  --grace 10s     how late a click may come          (10s)
  --top 20        rows of the live table             (20)
  --rate N        lines per second at most
  --until-end     stop when all input is counted and committed, and print totals
  --out F.csv     write windowStart,page,count of all windows at the end
  --quiet         print nothing but errors and totals
`

const SAMPLE_LINES_PER_SECOND = 800
const DURATION = /^\d+(ms|s|m|h|d)$/

/**
 * Reads the command line.
 * @throws CommandLineError naming the option and what it takes.
 */
export function parseOptions(args: readonly string[]): ClickOptions | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const sample = positionals.length === 0
  const rate = values.rate === undefined ? undefined : positiveNumber('--rate', values.rate)
  return {
    files: positionals,
    log: values.log ?? `file:${values.data ?? './data'}`,
    window: duration('--window', values.window ?? '1m', false),
    grace: duration('--grace', values.grace ?? '10s', true),
    top: values.top === undefined ? 20 : positiveNumber('--top', values.top),
    linesPerSecond: rate ?? (sample && !values.quiet ? SAMPLE_LINES_PER_SECOND : undefined),
    untilEnd: (values['until-end'] ?? false) || sample,
    out: values.out === undefined ? undefined : fileToWrite('--out', values.out),
    quiet: values.quiet ?? false
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        log: { type: 'string' },
        window: { type: 'string' },
        grace: { type: 'string' },
        top: { type: 'string' },
        rate: { type: 'string' },
        out: { type: 'string' },
        'until-end': { type: 'boolean' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' }
      }
    })
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function duration(option: string, text: string, zero: boolean): Duration {
  if (!DURATION.test(text) || (!zero && Number.parseInt(text, 10) === 0)) {
    throw new CommandLineError(`${option} takes a duration such as 250ms, 10s, 1m or 6h, not ${text}`)
  }
  return text as Duration
}

/** Said at once, not after hours of counting. */
function fileToWrite(option: string, path: string): string {
  if (!existsSync(dirname(resolve(path)))) {
    throw new CommandLineError(`${option} ${path}: the directory ${dirname(resolve(path))} does not exist`)
  }
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new CommandLineError(`${option} ${path} is a directory: name a file in it`)
  }
  return path
}

function positiveNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value <= 0)
    throw new CommandLineError(`${option} takes a whole number above 0, not ${text}`)
  return value
}
