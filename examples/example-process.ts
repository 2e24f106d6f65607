import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** How a run of an example ended. */
export interface ExampleRun {
  /** What it printed to its output, then to its error output. */
  readonly lines: readonly string[]
  /** The exit code, or the signal that ended it. */
  readonly end: number | NodeJS.Signals
}

/** Ends a run with a signal, so many milliseconds after the first line for which it is time. */
export interface Ending {
  readonly signal: NodeJS.Signals
  isTime(line: string): boolean
  /** For an instant that has nothing to do with what is printed. Default 0. */
  readonly afterMs?: number
}

/** Runs a program in a process of its own, until it ends or until it is ended. */
export async function runProcess(main: string, args: readonly string[], ending?: Ending): Promise<ExampleRun> {
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let timer: NodeJS.Timeout | undefined
  const lines: string[] = []
  const errors: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    if (ending?.isTime(line)) timer ??= setTimeout(() => child.kill(ending.signal), ending.afterMs ?? 0)
  })
  const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(signal ?? code ?? -1))
  })
  clearTimeout(timer)
  return { lines: [...lines, ...errors], end }
}

/** Runs a program again and again until the signal has ended it: on a slow machine a run may be over before. @returns how many runs that took. */
export async function runsUntilEnded(main: string, args: readonly string[], ending: Ending): Promise<number> {
  for (let runs = 1; ; runs++) {
    const { lines, end } = await runProcess(main, args, ending)
    if (end === ending.signal) return runs
    assert.equal(end, 0, lines.join('\n'))
  }
}
