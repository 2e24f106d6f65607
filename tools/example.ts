/** `npm run example -- 02 [ARGUMENTS]`: runs the example whose folder begins with that number or name. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'

const SIGNAL_EXIT_CODE = 128

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
  const child = spawn(process.execPath, [...process.execArgv, main, ...rest], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both: the example ends in order, and this waits for it.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => {
    if (signal !== null) console.error(`\n${folder} was ended by ${signal}`)
    process.exitCode = code ?? SIGNAL_EXIT_CODE + (signal === null ? 0 : constants.signals[signal])
  })
}
