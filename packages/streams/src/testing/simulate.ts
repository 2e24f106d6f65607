import { MillraceError } from '@millrace/log'
import type { Topology } from '../graph/topology.ts'
import { checkSimulateOptions, type SimulateOptions } from './simulated-options.ts'
import type { SimulatedResult } from './simulated-result.ts'
import { SimulatedRun } from './simulated-run.ts'

/** A simulated run failed: an expectation does not hold, the application failed, or it never came to rest. The message says how to run it again. */
export class SimulatedRunError extends MillraceError {
  readonly code = 'STREAMS_SIMULATED_RUN'
  readonly seed: number
  /** What happened until then, one line each. */
  readonly trace: readonly string[]

  constructor(
    failed: { readonly seed: number; readonly topology: string; readonly trace: readonly string[] },
    cause: unknown
  ) {
    const { seed, topology, trace } = failed
    const why = cause instanceof Error ? cause.message : String(cause)
    super(
      `the simulation of ${topology} failed with seed ${seed}: ${why}\n${trace.join('\n')}\nagain: simulate(topology, { seed: ${seed}, … })`,
      { cause }
    )
    this.seed = seed
    this.trace = trace
  }
}

/**
 * Runs a topology as several instances on a simulated log, while machines crash, instances leave and come back, requests and answers get lost and
 * disks are slow; ends when all input is processed and everybody is up again. Nothing of it is real but the program: broker, clients, stores and
 * stream threads are the ones that run in production, time and disks and network are not, so that a minute of it takes a moment.
 *
 * ```ts
 * const { table } = await simulate(clickAggregator, { seed: 7, input: clicks })
 * assert.deepEqual(table('clicks-per-ad').map(({ key, value }) => [key, value]), [['ad-7', 2]])
 * ```
 * @throws SimulatedRunError with the seed.
 * @throws UsageError for options that cannot be.
 */
export async function simulate(topology: Topology, options: SimulateOptions): Promise<SimulatedResult> {
  checkSimulateOptions(options)
  const run = new SimulatedRun(topology, options)
  try {
    const result = await run.run()
    await options.expect?.(result)
    return result
  } catch (error) {
    throw new SimulatedRunError({ seed: options.seed ?? 1, topology: topology.name, trace: run.trace }, error)
  }
}
