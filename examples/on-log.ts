import { type Log, openLog } from '@millrace/log'
import { type RunOptions, runStreams, type StreamsApp, type Topology } from '@millrace/streams'
import { failureOf, interruption } from './example.ts'

/** Opens the log in a directory, or one in memory, and closes it when the body has ended. */
export async function onLog(directory: string | undefined, body: (log: Log) => Promise<void>): Promise<void> {
  const log = await openLog(directory === undefined ? 'memory:' : `file:${directory}`)
  try {
    await body(log)
  } finally {
    await log.close()
  }
}

/** Where a topology runs, and until when. */
export interface Life extends Omit<RunOptions, 'log'> {
  readonly log: Log
  readonly interrupted: AbortSignal
}

/** Runs a topology until the body has ended, fails or is interrupted; then closes it in order. */
export async function whileRunning(
  topology: Topology,
  { interrupted, ...options }: Life,
  body: (app: StreamsApp) => Promise<void>
): Promise<void> {
  const app = await runStreams(topology, options)
  try {
    await Promise.race([failureOf(app.done), interruption(interrupted), app.running.then(() => body(app))])
  } finally {
    await app.close()
  }
}
