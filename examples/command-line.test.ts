import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runProcess } from './example-process.ts'

const LIMIT_MS = 60_000
const directory = mkdtempSync(join(tmpdir(), 'millrace-examples-'))
const file = join(directory, 'a-file')
writeFileSync(file, 'text')
const other = mkdtempSync(join(directory, 'other-'))
writeFileSync(join(other, 'notes.txt'), 'text')
afterAll(() => rmSync(directory, { recursive: true }))

const examples = readdirSync(import.meta.dirname).filter((name) => /^\d\d-/.test(name))
/** Those that keep all they have in a directory that may be chosen. */
const onDisk = examples.filter((name) => !/^0[68]-/.test(name))

const run = (example: string, ...args: string[]) => runProcess(join(import.meta.dirname, example, 'main.ts'), args)

it('are the numbered examples', () => {
  expect(examples.map((name) => name.slice(0, 2))).toEqual(['01', '02', '03', '04', '05', '06', '07', '08', '09', '10'])
})

describe.each(examples)('the command line of %s', (example) => {
  it('says which option is wrong, and which there are', { timeout: LIMIT_MS }, async () => {
    const { lines, end } = await run(example, '--mistyped')
    expect(end).toBe(2)
    expect(lines[0]).toMatch(/^Unknown option '--mistyped'/)
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}npm (start|run example -- \d\d)/))
  })
})

describe.each(onDisk)('the directory of %s', (example) => {
  it('is refused in one line where it cannot be', { timeout: LIMIT_MS }, async () => {
    const { lines, end } = await run(example, '--data', file)
    expect({ lines, end }).toEqual({ lines: [expect.stringContaining(file)], end: 1 })
  })
})

it('a directory that holds something else is left alone', { timeout: LIMIT_MS }, async () => {
  const { lines, end } = await run('02-orders-in-order', '--data', other)
  expect({ lines, end }).toEqual({ lines: [expect.stringMatching(/is not empty \(it has notes\.txt\)/)], end: 1 })
})

it('help is what a wrong option gets, and no error', { timeout: LIMIT_MS }, async () => {
  const { lines, end } = await run('02-orders-in-order', '--help')
  expect(end).toBe(0)
  expect(lines[0]).toMatch(/^Eight orders/)
})
