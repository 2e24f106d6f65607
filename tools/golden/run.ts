import { readCases } from './case.ts'
import { runCase } from './run-case.ts'

const paths = process.argv.slice(2)
if (paths.length === 0) {
  console.error(
    'usage: npm run golden -- DIR|FILE…   (runs every case in the files, and in the JSON files of the directories)'
  )
  process.exit(2)
}

const totals = { passed: 0, failed: 0, skipped: 0 }
const skippedByOperator = new Map<string, number>()
for (const golden of readCases(paths)) {
  const outcome = await runCase(golden)
  totals[outcome.kind]++
  if (outcome.kind === 'failed') console.log(`FAILED ${golden.name} ${outcome.difference}`)
  if (outcome.kind === 'skipped') {
    skippedByOperator.set(outcome.operator, (skippedByOperator.get(outcome.operator) ?? 0) + 1)
  }
}
for (const [operator, cases] of skippedByOperator) console.log(`skipped ${cases} with ${operator}`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 ? 1 : 0
