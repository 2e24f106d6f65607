import type { Log } from '@millrace/log'
import type { StreamsApp } from '@millrace/streams'
import type { ClickReader } from './click-reader.ts'
import { drawTable, plainLine, type Snapshot } from './live-view.ts'

/** How to show what happens. */
export interface ViewOptions {
  readonly log: Log
  /** Rows of the table. */
  readonly top: number
  readonly quiet: boolean
  readonly windowMs: number
  /** Where to write: a terminal gets one live table, anything else a plain line now and then. */
  readonly output: NodeJS.WriteStream
}

const FRAME_MS = 100
const PLAIN_LINE_MS = 2000
/** The cursor is hidden, and lines wider than the terminal are cut, not wrapped: the frame's height is known. */
const ENTER_TERMINAL = '\x1b[?25l\x1b[?7l'
const LEAVE_TERMINAL = '\x1b[?7h\x1b[?25h'
const LINES_BESIDE_PAGES = 6

/** Shows the job while it runs. */
export class LiveView {
  readonly #app: StreamsApp
  readonly #reader: ClickReader
  readonly #options: ViewOptions
  readonly #live: boolean
  readonly #top = new TopPages()
  readonly #rate: Rate
  readonly #subscriptions: { unsubscribe(): void }[] = []
  #restored: number | undefined
  #drawnLines = 0
  #timer: { cancel(): void } | undefined

  constructor(app: StreamsApp, reader: ClickReader, options: ViewOptions) {
    this.#app = app
    this.#reader = reader
    this.#options = options
    this.#live = options.output.isTTY === true
    this.#rate = new Rate(options.log.environment.clock.monotonicMs())
    if (options.quiet) return
    this.#subscriptions.push(
      app.store<Buffer, number>('clicks-per-page').changes$.subscribe(({ key, window, value }) => {
        if (window) this.#top.set(key.toString('latin1'), window.startMs, value ?? 0)
      }),
      app.restore$.subscribe(({ done, fromOffset, offset, endOffset }) => {
        this.#restored = done ? undefined : (offset - fromOffset) / (endOffset - fromOffset)
      })
    )
    if (this.#live) {
      options.output.write(ENTER_TERMINAL)
      process.on('exit', this.#leaveTerminal)
    }
    this.#schedule()
  }

  /** Draws a last time and lets go of the terminal. Calling it again does nothing. */
  close(): void {
    if (!this.#timer) return
    this.#timer.cancel()
    this.#timer = undefined
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
    this.#show()
    if (!this.#live) return
    this.#leaveTerminal()
    process.off('exit', this.#leaveTerminal)
  }

  readonly #leaveTerminal = () => {
    this.#options.output.write(LEAVE_TERMINAL)
  }

  #schedule(): void {
    const everyMs = this.#live ? FRAME_MS : PLAIN_LINE_MS
    this.#timer = this.#options.log.environment.timers.set(everyMs, () => {
      this.#show()
      this.#schedule()
    })
  }

  #show(): void {
    const { output, top } = this.#options
    const snapshot = this.#snapshot()
    if (!this.#live) {
      output.write(`${plainLine(snapshot)}\n`)
      return
    }
    const height = (output.rows ?? 24) - 1
    const rows = Math.min(top, Math.max(1, height - LINES_BESIDE_PAGES))
    // Of a terminal too low for all, the figures below are what counts.
    const lines = drawTable(snapshot, { rows, columns: output.columns ?? 80 }).slice(-Math.max(1, height))
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : ''
    output.write(`${up}\r${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
    this.#drawnLines = lines.length
  }

  #snapshot(): Snapshot {
    const metrics = this.#app.metrics()
    const { clock } = this.#options.log.environment
    return {
      status: this.#app.state.status,
      counts: this.#reader.counts,
      late: metrics.droppedRecords.late ?? 0,
      recordsPerSecond: this.#rate.at(clock.monotonicMs(), metrics.processedRecords),
      lag: metrics.lag,
      commitAgeMs: metrics.lastCommitAtMs === undefined ? undefined : clock.nowMs() - metrics.lastCommitAtMs,
      restored: this.#restored,
      window:
        this.#top.windowStartMs === undefined
          ? undefined
          : { startMs: this.#top.windowStartMs, sizeMs: this.#options.windowMs },
      top: this.#top.rows(this.#options.top)
    }
  }
}

/** Counts of the newest window. */
class TopPages {
  windowStartMs: number | undefined
  #counts = new Map<string, number>()

  set(page: string, windowStartMs: number, count: number): void {
    if (this.windowStartMs !== undefined && windowStartMs < this.windowStartMs) return
    if (windowStartMs !== this.windowStartMs) this.#counts = new Map()
    this.windowStartMs = windowStartMs
    this.#counts.set(page, count)
  }

  rows(limit: number): { page: string; count: number }[] {
    return Array.from(this.#counts, ([page, count]) => ({ page, count }))
      .sort((a, b) => b.count - a.count || (a.page < b.page ? -1 : 1))
      .slice(0, limit)
  }
}

/** Records per second over about the last two seconds. */
class Rate {
  #samples: { readonly atMs: number; readonly records: number }[]

  constructor(beganMs: number) {
    this.#samples = [{ atMs: beganMs, records: 0 }]
  }

  at(nowMs: number, records: number): number {
    this.#samples.push({ atMs: nowMs, records })
    while (this.#samples.length > 2 && nowMs - this.#samples[1].atMs > 2000) this.#samples.shift()
    const first = this.#samples[0]
    return nowMs > first.atMs ? ((records - first.records) / (nowMs - first.atMs)) * 1000 : 0
  }
}
