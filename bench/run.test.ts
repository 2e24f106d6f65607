import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

function bench(...args: string[]) {
  const run = join(import.meta.dirname, 'run.ts')
  return spawnSync(process.execPath, ['--conditions=source', run, ...args], { encoding: 'utf8' })
}

it('a benchmark prints a table', { timeout: 120_000 }, () => {
  const table = bench('codec')
  expect(table.stderr).toBe('')
  expect(table.stdout).toMatch(/^\ncodec: .*\n {2}codec encode +[\d,]+ records\/s +\d+ % of the budget\n/)
  expect(table.status).toBe(0)
})

it('what there is not is refused with what there is', { timeout: 60_000 }, () => {
  expect(bench('nothing')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^no benchmark nothing: .*codec/) })
  expect(bench('--yaml')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^Unknown option '--yaml'.*\nusage/)
  })
})
