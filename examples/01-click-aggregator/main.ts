import { stderr, stdout } from 'node:process'
import { MillraceError } from '@millrace/log'
import { CommandLineError } from './errors.ts'
import { parseOptions, USAGE } from './options.ts'
import { runClicks } from './run-clicks.ts'

// Who reads the output has gone, as in `npm start | head`: end at once, the next start goes on where the last commit ended.
stdout.on('error', () => process.exit(1))

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') stdout.write(USAGE)
  else await runClicks(options)
} catch (error) {
  if (!(error instanceof MillraceError)) throw error
  stderr.write(`${error.message}\n${error instanceof CommandLineError ? `\n${USAGE}` : ''}`)
  process.exitCode = error instanceof CommandLineError ? 2 : 1
}
