/** `npm run example -- 02 [ARGUMENTS]`: runs the example whose folder begins with that number or name. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const examples = join(import.meta.dirname, '..', 'examples')
const folders = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && /^\d\d-/.test(entry.name))
  .map(({ name }) => name)
  .sort()

const [wanted = '', ...rest] = process.argv.slice(2)
const folder = folders.find((name) => wanted !== '' && (name.startsWith(wanted) || name.slice(3).startsWith(wanted)))
if (folder === undefined) {
  console.error(`usage: npm run example -- NUMBER [ARGUMENTS]\n\n${folders.map((name) => `  ${name}`).join('\n')}`)
  process.exitCode = 2
} else {
  const main = join(examples, folder, 'main.ts')
  const run = spawnSync(process.execPath, [...process.execArgv, main, ...rest], { stdio: 'inherit' })
  process.exitCode = run.status ?? 1
}
