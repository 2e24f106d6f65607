import { MillraceError } from '@millrace/log'

/** What one seed's run showed. */
export interface SimulationResult {
  /** Equal exactly when two runs took the same course. */
  readonly traceHash: string
  /** Figures to add up over all seeds, by name: they say whether the runs were worth something. */
  readonly counts: Readonly<Record<string, number>>
}

/** A program in a simulated world, whose faults its seed decides. */
export interface Simulation {
  readonly name: string
  /** What runs, and what must hold; one line. */
  readonly description: string
  /** @throws SimulationFailedError when what must hold does not. */
  run(seed: number): Promise<SimulationResult>
}

/** Something that must hold did not. The same seed shows it again. */
export class SimulationFailedError extends MillraceError {
  readonly code = 'SIMULATION_FAILED'
  readonly seed: number
  /** What happened until then, one line each. */
  readonly story: readonly string[]

  constructor(seed: number, what: string, story: readonly string[], options?: ErrorOptions) {
    super(`seed ${seed}: ${what}`, options)
    this.seed = seed
    this.story = story
  }
}

/** A promise of the log or of its programs that was broken. */
export class BrokenPromiseError extends MillraceError {
  readonly code = 'SIMULATION_BROKEN_PROMISE'
}

/** @throws BrokenPromiseError saying `what`, when it does not hold. */
export function demand(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new BrokenPromiseError(what())
}
