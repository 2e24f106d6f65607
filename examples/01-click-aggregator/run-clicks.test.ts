import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseOptions } from './options.ts'
import { runClicks } from './run-clicks.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-clicks-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function run(...args: string[]): Promise<void> {
  const options = parseOptions([...args, '--log', 'memory:', '--until-end', '--quiet'])
  if (options === 'help') throw new TypeError('nobody asked for help')
  return runClicks(options)
}

it('counts the files of this machine with a log in memory', async () => {
  const file = join(directory, 'access.log')
  const out = join(directory, 'out.csv')
  writeFileSync(file, '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1\n')
  await run(directory, '--out', out)
  expect(readFileSync(out, 'utf8').trim().split('\n').slice(1)).toEqual([expect.stringContaining('/a,1')])
})

it('says that a directory has nothing to count', async () => {
  await expect(run(directory)).rejects.toThrow(`${directory}: is a directory without files`)
})
