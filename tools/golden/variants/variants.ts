import type { GoldenCase } from '../case.ts'
import { UnsupportedOperatorError } from '../case-results.ts'
import { interpret } from '../interpret.ts'
import type { CaseOutcome } from '../run-case.ts'
import { withAnswersRepeated } from './answers-repeated.ts'
import { runWithCommits } from './commit.ts'
import { runWithCrashes } from './crash.ts'
import { dependsOnGrouping } from './grouping.ts'
import { dependsOnOneTask } from './one-task.ts'
import { runPartitioned } from './partitioned.ts'
import { dependsOnPartitioning } from './partitioning.ts'

/** Another way to run the cases, on the runtime itself; what Kafka Streams answered has to come all the same. */
export interface Variant {
  /** One line. */
  readonly description: string
  /** Why the case's answers may be others this way: its operators and functions say. Undefined when they may not. */
  excludes(golden: GoldenCase): Promise<string | undefined>
  run(golden: GoldenCase): Promise<CaseOutcome>
}

/** The variants, by the name they are asked for. */
export const VARIANTS: Readonly<Record<string, Variant>> = {
  crash: {
    description: 'an embedded log, and a crash and a restore from the changelogs between every two records',
    excludes: async (golden) => dependsOnOneTask(golden),
    run: runWithCrashes
  },
  commit: {
    description: "an embedded log, emit: 'commit' and many records a commit: the last value of every key",
    excludes: async (golden) => dependsOnOneTask(golden) ?? dependsOnGrouping(golden),
    run: runWithCommits
  },
  log: {
    description: 'an embedded log with three partitions a topic',
    excludes: dependsOnPartitioning,
    run: runPartitioned
  }
}

/** How a case went in a variant: as without one, or it is left out for a reason. */
export type VariantOutcome = CaseOutcome | { readonly kind: 'excluded'; readonly reason: string }

/** Runs a case in a variant, if it can be. */
export async function runVariant(variant: Variant, golden: GoldenCase): Promise<VariantOutcome> {
  if (golden.refused !== undefined) return { kind: 'skipped', operator: 'a topology that Kafka Streams refuses' }
  try {
    interpret(golden.topology)
    const reason = await variant.excludes(golden)
    return reason === undefined ? await variant.run(await withAnswersRepeated(golden)) : { kind: 'excluded', reason }
  } catch (error) {
    if (error instanceof UnsupportedOperatorError) return { kind: 'skipped', operator: error.operator }
    return { kind: 'failed', difference: `it threw: ${said(error)}` }
  }
}

function said(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? `${error}: ${said(error.cause)}` : String(error)
}
