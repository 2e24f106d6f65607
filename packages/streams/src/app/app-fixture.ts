import { type Log, openLog, UsageError } from '@millrace/log'
import { afterEach, beforeEach } from 'vitest'
import type { Topology } from '../graph/topology.ts'
import type { RunOptions } from './app-options.ts'
import { runStreams } from './run-streams.ts'
import type { StreamsApp } from './streams-app.ts'

/** What tests of running applications work with. */
export interface AppFixture {
  /** A log in memory: another one for each test. */
  readonly log: Log
  /** Runs a topology on the log. What still runs after the test is closed, last of all the log. */
  run(topology: Topology, options?: Omit<RunOptions, 'log'>): Promise<StreamsApp>
}

/** Gives each test of a file a log of its own, and closes after it what it ran. To be called once, outside of tests. */
export function appFixture(): AppFixture {
  let log: Log | undefined
  let apps: StreamsApp[] = []
  const opened = () => {
    if (log === undefined) throw new UsageError('the log is there while a test runs')
    return log
  }
  beforeEach(async () => {
    log = await openLog('memory:')
  })
  afterEach(async () => {
    for (const app of apps) await app.close()
    apps = []
    await log?.close()
  })
  return {
    get log() {
      return opened()
    },
    async run(topology, options) {
      const app = await runStreams(topology, { ...options, log: opened() })
      apps.push(app)
      return app
    }
  }
}
