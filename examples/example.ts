import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { MillraceError } from '@millrace/log'

/** The command line is wrong; the message says what, and the usage follows. */
export class ArgumentError extends MillraceError {
  readonly code = 'EXAMPLE_ARGUMENT'
}

/** Somebody wants the program to end; nothing is wrong. */
export class InterruptedError extends MillraceError {
  readonly code = 'EXAMPLE_INTERRUPTED'
}

/** Options of a command line, as `parseArgs` reads them. */
export type Arguments<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O }>>['values']

const INTERRUPTED_EXIT_CODE = 130

/**
 * Runs the body of an example: reads the command line, turns the first Ctrl-C into an aborted signal (the second ends at once), and tells errors in a
 * line. Exits with 2 for a wrong command line, with 1 for what a library reports, with 0 when it was interrupted and ended in order.
 */
export async function example<O extends ParseArgsOptionsConfig>(
  usage: string,
  options: O,
  body: (values: Arguments<O>, interrupted: AbortSignal) => Promise<void>
): Promise<void> {
  // Whoever reads the output has gone, as in `… | head`.
  process.stdout.on('error', () => process.exit(1))
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(INTERRUPTED_EXIT_CODE)
      interrupt.abort()
    })
  }
  try {
    const values = readArguments({ ...options, help: { type: 'boolean', short: 'h' } })
    if (values.help === true) process.stdout.write(usage)
    // Read by these very options.
    else await body(values as Arguments<O>, interrupt.signal)
  } catch (error) {
    if (error instanceof InterruptedError) {
      process.stderr.write(`${error.message}\n`)
      return
    }
    const message = messageOf(error)
    if (message === undefined) throw error
    const wrongArgument = error instanceof ArgumentError
    process.stderr.write(wrongArgument ? `${message}\n\n${usage}` : `${message}\n`)
    process.exitCode = wrongArgument ? 2 : 1
  }
}

/** What is told in a line; undefined for a defect, which is shown with its stack. */
function messageOf(error: unknown): string | undefined {
  if (error instanceof MillraceError) return error.message
  // A database that is locked, or is somebody else's.
  if (error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR') return `SQLite: ${error.message}`
  return undefined
}

function readArguments(options: ParseArgsOptionsConfig): Readonly<Record<string, unknown>> {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw new ArgumentError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** @throws ArgumentError unless the text is a whole number above 0. */
export function positiveNumber(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new ArgumentError(`${option} takes a whole number above 0, not ${text}`)
}

/** Rejects when the promise does, and never resolves: for a race with what is waited for. */
export function failureOf(promise: Promise<unknown>): Promise<never> {
  return promise.then(() => new Promise<never>(() => undefined))
}

/** Rejects with {@link InterruptedError} when the program is interrupted, and never resolves. */
export function interruption(interrupted: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(new InterruptedError('interrupted: ended in order'))
    if (interrupted.aborted) onAbort()
    else interrupted.addEventListener('abort', onAbort, { once: true })
  })
}
