import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runProcess } from '../example-process.ts'
import { ORDERS } from './orders.ts'

const LIMIT_MS = 120_000
const main = join(import.meta.dirname, 'main.ts')
const cli = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const directory = mkdtempSync(join(tmpdir(), 'millrace-letters-'))

afterAll(() => rmSync(directory, { recursive: true }))

const run = async (...args: string[]) => {
  const { lines, end } = await runProcess(main, ['--data', directory, ...args])
  expect(end, lines.join('\n')).toBe(0)
  return lines
}
const letters = async (command: 'list' | 'replay') => {
  const log = `file:${join(directory, 'log')}`
  const { lines, end } = await runProcess(cli, ['connectors', 'dlq', command, 'shop', '--log', log])
  expect(end, lines.join('\n')).toBe(0)
  return lines
}

const umbrella = expect.stringMatching(/key 1004 .*FOREIGN KEY constraint failed/)
const cutOff = expect.stringMatching(/from orders-0@5 .*key 1006 .*its value is no JSON/)

describe('dead letters', () => {
  it(
    'hold what the database refuses, with why, until it is mended and they are sent back',
    async () => {
      const first = await run()
      expect(first.slice(0, ORDERS.length)).toEqual([
        '1001  2 × socks',
        '1002  1 × shoes',
        '1003  1 × raincoat',
        expect.stringMatching(/^1004 {2}dead letter: .*FOREIGN KEY/),
        '1005  5 × socks',
        expect.stringMatching(/^1006 {2}dead letter: its value is no JSON/),
        '1007  2 × shoes',
        '1008  1 × socks'
      ])
      expect(first).toContain('8 records = 6 rows + 2 dead letters')
      expect(await letters('list')).toEqual([umbrella, cutOff])

      await run('--add', 'umbrella')
      expect(await letters('replay')).toEqual(['2 sent back'])
      const mended = await run()
      expect(mended).toContain('1004  3 × umbrella')
      expect(mended).toContain('10 records = 7 rows + 3 dead letters (2 sent back)')
      expect(mended.at(-1)).toBe('1006 was sent back and refused again: nothing was mended for it')
      expect((await letters('list')).filter((line) => !line.endsWith('(sent back)'))).toEqual([
        expect.stringMatching(/from orders-0@9 .*key 1006/)
      ])
    },
    LIMIT_MS
  )
})
