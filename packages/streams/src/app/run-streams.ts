import { openLog, UsageError } from '@millrace/log'
import { durationMs } from '../graph/duration.ts'
import type { Topology } from '../graph/topology.ts'
import type { RunOptions } from './app-options.ts'
import { RunningApp } from './running-app.ts'
import type { StreamsApp } from './streams-app.ts'
import { isLog } from './where.ts'

/**
 * Runs a topology: makes its topics, joins its group, restores its stores and processes from the last commit on, exactly once. Resolves
 * when the topics are there and the thread has begun; `state$` tells when it is running.
 *
 * @throws MissingSourceTopicError, CopartitionError, InternalTopicMismatchError, LockHeldError, or what opening the log throws: before
 * anything has run.
 */
export async function runStreams(topology: Topology, options: RunOptions): Promise<StreamsApp> {
  requireArguments(topology, options)
  if (options.threads !== undefined && options.threads !== 1) {
    throw new UsageError(`threads: ${options.threads} is not possible yet: a topology runs in the calling thread`)
  }
  const commitIntervalMs = durationMs('commitInterval', options.commitInterval ?? '100ms', { leastMs: 1 })
  const borrowed = isLog(options.log)
  const log = isLog(options.log) ? options.log : await openLog(options.log)
  try {
    return await RunningApp.start({ topology, log, options, commitIntervalMs, ownsLog: !borrowed })
  } catch (error) {
    if (!borrowed) await log.close()
    throw error
  }
}

/** What the types rule out, and a program without types may write. */
function requireArguments(topology: Partial<Topology> | undefined, options: Partial<RunOptions> | undefined): void {
  if (!Array.isArray(topology?.nodes)) {
    throw new UsageError('runStreams(): its first argument is no topology: give it what defineTopology() returned')
  }
  if (options?.log === undefined) {
    throw new UsageError(
      `runStreams() of '${topology.name}' was not told where the topics are: give it { log: 'file:./data' }, or an open log`
    )
  }
}
