import { join } from 'node:path'
import { type Log, openLog } from '@millrace/log'
import { durationMs, runStreams, type StreamsApp, type Trace } from '@millrace/streams'
import { type ClickReader, startClickReader } from './click-reader.ts'
import { CLICK_TIME_CONFIGS, createClickTopics } from './click-source.ts'
import type { ClickOptions } from './options.ts'
import { writeCsv } from './results.ts'
import { checkSettings } from './settings.ts'
import { clickAggregator } from './topology.ts'
import { totalsText } from './totals.ts'
import { LiveView } from './view.ts'

const SAMPLE = join(import.meta.dirname, 'data', 'apache-access.log.gz')
const SECOND_INTERRUPT_EXIT_CODE = 130

/** For whoever wants to look inside while the job runs. */
export interface Hooks {
  readonly trace?: Trace
  onStarted?(app: StreamsApp): void
}

/** Runs the job until its input ends, or until Ctrl-C. */
export async function runClicks(options: ClickOptions, hooks: Hooks = {}): Promise<void> {
  const log = await openLog(options.log)
  try {
    await createClickTopics(log)
    await checkSettings(log, options)
    const app = await runStreams(clickAggregator(options), {
      log,
      internalTopicConfigs: CLICK_TIME_CONFIGS,
      ...(hooks.trace && { trace: hooks.trace })
    })
    try {
      hooks.onStarted?.(app)
      const totals = await readAndCount(log, app, options)
      if (totals !== undefined) process.stdout.write(totals)
    } finally {
      await app.close()
    }
    if (options.out !== undefined) await writeCsv(log, options.out)
  } finally {
    await log.close()
  }
}

/** Reads and counts to the end; returns the totals, or undefined when interrupted. */
async function readAndCount(log: Log, app: StreamsApp, options: ClickOptions): Promise<string | undefined> {
  const late = () => app.metrics().droppedRecords.late ?? 0
  const files = options.files.length > 0 ? options.files : [SAMPLE]
  const reader = await startClickReader(log, { ...options, files })
  const interrupt = interruptible(reader)
  const windowMs = durationMs('--window', options.window)
  const view = new LiveView(app, reader, { ...options, log, windowMs, output: process.stdout })
  try {
    await Promise.race([app.running, interrupt.asked, reader.done.then(() => app.running)])
    const lateBefore = late()
    await Promise.race([app.done, reader.done])
    if (interrupt.happened()) return undefined
    await Promise.race([app.caughtUp(), interrupt.asked])
    if (interrupt.happened()) return undefined
    const run = { ...reader.counts, late: late() - lateBefore }
    view.close()
    return totalsText(run, { ...reader.total(), late: late() })
  } finally {
    view.close()
    interrupt.release()
    reader.stop()
    await reader.done
  }
}

/** Ctrl-C ends the reading, and with it the job, cleanly; a second one ends the process at once. */
function interruptible(reader: ClickReader) {
  let count = 0
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const onSignal = () => {
    if (++count > 1) process.exit(SECOND_INTERRUPT_EXIT_CODE)
    reader.stop()
    ask()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    /** Resolves with the first Ctrl-C. */
    asked,
    happened: () => count > 0,
    release: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    }
  }
}
