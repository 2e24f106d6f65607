/**
 * `npm run tidy`: the repository checks itself. Exits 1 when a check finds something; the yardstick is only printed, with `-- --list` also all that
 * is past it.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkBanned } from './banned.ts'
import { checkCycles } from './cycles.ts'
import { checkDocumentation } from './documentation.ts'
import { checkLinks, programsOf, runProgram } from './documents.ts'
import { checkLayers } from './layers.ts'
import { checkLockFile } from './lock-file.ts'
import { type Finding, parseSource } from './source-file.ts'
import { measure } from './yardstick.ts'

const root = join(import.meta.dirname, '..', '..')
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8'
})
const paths = listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))
const files = paths.filter((path) => path.endsWith('.ts')).map((path) => parseSource(root, path))
const documents = paths.filter((path) => path.endsWith('.md'))

const findings: Finding[] = [
  ...checkLayers(files),
  ...checkCycles(files),
  ...checkBanned(files),
  ...checkDocumentation(files),
  ...checkLinks(root, documents),
  ...checkLockFile(readFileSync(join(root, 'package-lock.json'), 'utf8'))
]
for (const program of documents.flatMap((path) => programsOf(root, path))) {
  const finding = await runProgram(root, program)
  if (finding) findings.push(finding)
}

for (const { path, line, message } of findings) console.log(`${path}:${line}: ${message}`)
const rows = measure(files)
const width = Math.max(...rows.map((row) => row.name.length))
console.log('\nThe yardstick (target in brackets)')
const isListing = process.argv.includes('--list')
for (const { name, value, target, beyond } of rows) {
  console.log(`  ${name.padEnd(width)}  ${value}${target ? `  [${target}]` : ''}`)
  if (isListing) for (const place of beyond) console.log(`    ${place}`)
}
console.log(
  `\n${files.length} modules and ${documents.length} documents: ${findings.length === 0 ? 'tidy' : `${findings.length} findings`}`
)
process.exitCode = findings.length === 0 ? 0 : 1
