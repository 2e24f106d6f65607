/** What one benchmark found. Rates are over the measured span only; CPU seconds are those of the process in that span. */
export interface BenchmarkResult {
  readonly name: string
  readonly records: number
  readonly seconds: number
  readonly recordsPerSecond: number
  readonly cpuSeconds: number
  readonly cpuMicrosPerRecord: number
  readonly rssMaxBytes: number
  /** True when the result was compared with an oracle and equal; a benchmark whose result is wrong throws. */
  readonly checked: boolean
  /** What fixes the meaning of the figure, and further figures: plain numbers and words. */
  readonly [detail: string]: number | string | boolean
}

/** One benchmark. Runs in a process of its own. */
export interface Benchmark {
  readonly name: string
  /** One line: what is measured. */
  readonly what: string
  /** The design's budget in records per second. */
  readonly budget: number
  /** Parts that are measured one by one, each in a process of its own: `npm run bench -- <name>/<row>` runs one. */
  readonly rows?: readonly BenchmarkRow[]
  /** @param row Which part, where there are any. */
  run(row?: string): Promise<BenchmarkResult | readonly BenchmarkResult[]>
}

/** A part of a benchmark. */
export interface BenchmarkRow {
  readonly name: string
  /** In place of the benchmark's own. */
  readonly budget: number
}

/** Measures a span: wall clock, CPU of this process, greatest resident set of its life. */
export class Span {
  readonly #startedMs = performance.now()
  readonly #cpu = process.cpuUsage()

  end(name: string, records: number, details: Readonly<Record<string, number | string | boolean>>): BenchmarkResult {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const cpu = process.cpuUsage(this.#cpu)
    return {
      name,
      records,
      seconds: round(seconds),
      recordsPerSecond: Math.round(records / seconds),
      cpuSeconds: round((cpu.user + cpu.system) / 1e6),
      cpuMicrosPerRecord: Math.round(((cpu.user + cpu.system) / records) * 100) / 100,
      rssMaxBytes: process.resourceUsage().maxRSS * 1024,
      checked: true,
      ...details
    }
  }
}

/** The result of a benchmark differs from the oracle's: its figure means nothing. */
export class WrongResultError extends Error {
  override readonly name = 'WrongResultError'
}

/** @throws WrongResultError unless the two are the same. */
export function checkEqual(what: string, actual: number | string, expected: number | string): void {
  if (actual !== expected) throw new WrongResultError(`${what}: ${actual}, the oracle says ${expected}`)
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
