import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestProject } from 'vitest/node'

const SOURCES = [
  '../packages/cli/src/run.ts',
  '@millrace/connectors/postgres',
  '../examples/01-click-aggregator/run-clicks.ts'
]

/**
 * Where nothing was run yet, the sources are compiled once, for all programs that tests start: one that is killed leaves nothing for the next.
 */
export default function compileAhead({ config: { env } }: TestProject): void {
  const { NODE_COMPILE_CACHE } = env
  if (NODE_COMPILE_CACHE === undefined || existsSync(NODE_COMPILE_CACHE)) return
  const program = SOURCES.map((source) => `await import('${source}')`).join('\n')
  execFileSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_COMPILE_CACHE }
  })
}
