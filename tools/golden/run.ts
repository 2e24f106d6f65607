import { parseArgs } from 'node:util'
import { GoldenFileError, readCases } from './case.ts'
import { runCase } from './run-case.ts'
import { runVariant, VARIANTS } from './variants/variants.ts'

const USAGE = `usage: npm run golden -- DIR|FILE… [--variant ${Object.keys(VARIANTS).join('|')}]
  runs every case in the files, and in the JSON files of the directories, on the test driver; or, with a variant, on
${Object.entries(VARIANTS)
  .map(([name, { description }]) => `  ${name.padEnd(8)}${description}`)
  .join('\n')}`

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof GoldenFileError)) throw error
  console.error(error.message)
  return 2
})

async function main(): Promise<number> {
  const asked = argumentsOf(process.argv.slice(2))
  if (typeof asked === 'string') {
    console.error(`${asked}\n${USAGE}`)
    return 2
  }
  const variant = asked.variant === undefined ? undefined : VARIANTS[asked.variant]
  const totals = { passed: 0, failed: 0, skipped: 0, excluded: 0 }
  const left = { skipped: new Map<string, number>(), excluded: new Map<string, number>() }
  const cases = readCases(asked.paths)
  for (const golden of cases) {
    const outcome = variant === undefined ? await runCase(golden) : await runVariant(variant, golden)
    totals[outcome.kind]++
    if (outcome.kind === 'failed') console.log(`FAILED ${golden.name} ${outcome.difference}`)
    if (outcome.kind === 'skipped') countIn(left.skipped, outcome.operator)
    if (outcome.kind === 'excluded') countIn(left.excluded, outcome.reason)
  }
  for (const [operator, count] of left.skipped) console.log(`skipped ${count} with ${operator}`)
  if (variant !== undefined) {
    console.log(`variant ${asked.variant} applies to ${cases.length - totals.excluded} of ${cases.length} cases`)
    for (const [reason, count] of left.excluded) console.log(`excluded ${count}: ${reason}`)
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
  return totals.failed > 0 ? 1 : 0
}

/** What was asked for, or what is wrong with it. */
function argumentsOf(args: readonly string[]): string | { readonly paths: string[]; readonly variant?: string } {
  try {
    const { positionals: paths, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { variant: { type: 'string' } }
    })
    const { variant } = values
    if (paths.length === 0) return 'name the directories or files with the cases'
    if (variant !== undefined && !Object.hasOwn(VARIANTS, variant)) return `there is no variant ${variant}`
    return { paths, ...(variant !== undefined && { variant }) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function countIn(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
