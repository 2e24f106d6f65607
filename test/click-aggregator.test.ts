import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openLog } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countByOracle } from './click-oracle.ts'

const EXAMPLE = join(import.meta.dirname, '../examples/01-click-aggregator')
const DEFAULTS = { windowMs: 60_000, graceMs: 10_000, partitions: 4 }
const sample = gunzipSync(readFileSync(join(EXAMPLE, 'data/apache-access.log.gz')))

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-clicks-'))
  file = join(directory, 'access.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

const data = () => join(directory, 'data')
const out = () => readFileSync(join(directory, 'out.csv'))

/** Runs the job to the end of its input. */
function clicks(args: readonly string[] = []): { code: number | null; output: string } {
  const run = spawnSync(
    process.execPath,
    ['--conditions=source', join(EXAMPLE, 'main.ts'), file, '--data', data(), '--quiet', '--until-end', ...args],
    { encoding: 'utf8' }
  )
  return { code: run.status, output: run.stdout + run.stderr }
}

describe('the click aggregator', () => {
  it('counts the sample as the oracle does, and running it again adds nothing', () => {
    writeFileSync(file, sample)
    const oracle = countByOracle(sample, DEFAULTS)
    const first = clicks(['--out', join(directory, 'out.csv')])
    expect(first).toEqual({ code: 0, output: expect.stringContaining('this run: lines 10000, clicks 9744') })
    expect(out().equals(oracle.csv)).toBe(true)
    const again = clicks(['--out', join(directory, 'out.csv')])
    expect(again.output).toBe(
      'this run: lines 0, clicks 0, ignored 0, bad 0, late 0\n' +
        'data directory: lines 10000, clicks 9744, ignored 256, bad 0, late 0\n'
    )
    expect(out().equals(oracle.csv)).toBe(true)
  })

  it('reads logs of 1995: bytes that are no UTF-8, quotes and spaces in requests, no protocol, gzip', () => {
    const time = (second: number) => `[01/Jul/1995:00:00:${String(second).padStart(2, '0')} -0400]`
    const lines = [
      `burger.letters.com - - ${time(1)} "GET /shuttle/countdown/liftoff.html HTTP/1.0" 304 0`,
      `a.b - - ${time(2)} "GET /no-protocol" 200 -`,
      `a.b - - ${time(3)} "GET /caf\xe9?x HTTP/1.0" 200 12`,
      `a.b - - ${time(4)} "GET /a "quoted" page, with comma HTTP/1.0" 200 12`,
      `a.b - John Q. Public ${time(5)} "GET /user HTTP/1.0" 200 12`,
      `a.b - - ${time(6)} "POST /form HTTP/1.0" 200 12`,
      `a.b - - ${time(7)} "GET /gone HTTP/1.0" 404 -`,
      `a.b - - [01/Jul/1995] "GET / HTTP/1.0" 200 12`,
      `\x00\xff garbage`,
      `a.b - - ${time(8)} "GET /last HTTP/1.0" 200 12`
    ]
    const bytes = Buffer.from(lines.join('\n'), 'latin1')
    writeFileSync(file, gzipSync(bytes))
    const run = clicks(['--out', join(directory, 'out.csv')])
    expect(run.output).toContain('lines 10, clicks 6, ignored 2, bad 2, late 0')
    expect(out().equals(countByOracle(bytes, DEFAULTS).csv)).toBe(true)
    expect(out().toString('latin1')).toContain('1995-07-01T04:00:00.000Z,"/a ""quoted"" page, with comma",1\r\n')
  })

  it('keeps bad lines with their file, number and reason', async () => {
    writeFileSync(file, `${sample.subarray(0, sample.indexOf('\n') + 1)}\xff not a line\n`, 'latin1')
    clicks()
    const log = await openLog(`file:${data()}`)
    const consumer = log.consumer()
    consumer.assign([{ topic: 'clicks-bad-lines', partition: 0 }])
    const found: unknown[] = []
    while (found.length === 0) {
      for (const { batches } of await consumer.poll(1000)) {
        for (const batch of batches) {
          const cursor = batch.records()
          while (cursor.next()) {
            const headers = cursor.headers().map(({ key, value }) => [key, value?.toString()])
            found.push({ value: cursor.value()?.toString('latin1'), headers })
          }
        }
      }
    }
    await consumer.close()
    await log.close()
    expect(found).toEqual([
      {
        value: '\xff not a line',
        headers: [
          ['file', file],
          ['line', '2'],
          ['reason', expect.stringContaining('time')]
        ]
      }
    ])
  })

  it('reads a file on that grew, an unterminated line included', () => {
    const cut = sample.length - 5000
    writeFileSync(file, sample.subarray(0, sample.lastIndexOf('\n', cut) + 1))
    clicks()
    appendFileSync(file, sample.subarray(sample.lastIndexOf('\n', cut) + 1, sample.length - 1))
    expect(clicks(['--out', join(directory, 'out.csv')]).output).toContain('data directory: lines 10000, clicks 9744')
    expect(out().equals(countByOracle(sample, DEFAULTS).csv)).toBe(true)
  })

  it('counts in the windows and with the grace it is told', () => {
    writeFileSync(file, sample)
    clicks(['--window', '10s', '--grace', '0s', '--out', join(directory, 'out.csv')])
    const oracle = countByOracle(sample, { windowMs: 10_000, graceMs: 0, partitions: 4 })
    expect(oracle.late).toBeGreaterThan(0)
    expect(out().equals(oracle.csv)).toBe(true)
    const other = clicks(['--window', '1m'])
    expect(other).toEqual({ code: 2, output: expect.stringContaining('counted in windows of 10s') })
  })

  it('counts a file once that is named twice, by a link too', () => {
    writeFileSync(file, sample)
    symlinkSync(file, join(directory, 'link.log'))
    const run = clicks([file, join(directory, 'link.log')])
    expect(run).toEqual({ code: 0, output: expect.stringContaining('this run: lines 10000, clicks 9744') })
  })

  it('goes on behind a line that fits no record, and keeps how it begins as a bad line', () => {
    const line = (page: string) => `a.b - - [17/May/2015:10:05:03 +0000] "GET ${page} HTTP/1.0" 200 12\n`
    const bytes = Buffer.from(
      `${line('/a')}${'x'.repeat(3_000_000)}\n${line('/b')}${line(`/${'y'.repeat(1_500_000)}`)}${line('/c')}`
    )
    writeFileSync(file, bytes)
    const first = clicks(['--out', join(directory, 'out.csv')])
    expect(first).toEqual({ code: 0, output: expect.stringContaining('lines 5, clicks 3, ignored 0, bad 2') })
    const start = '2015-05-17T10:05:00.000Z'
    expect(out().toString()).toBe(`windowStart,page,count\r\n${start},/a,1\r\n${start},/b,1\r\n${start},/c,1\r\n`)
    appendFileSync(file, line('/c'))
    expect(clicks().output).toContain('this run: lines 1, clicks 1')
  })

  it('counts a click of a server whose clock runs ahead', () => {
    writeFileSync(file, 'a.b - - [28/Feb/2100:10:00:00 +0000] "GET /ahead HTTP/1.0" 200 12\n')
    expect(clicks(['--out', join(directory, 'out.csv')]).code).toBe(0)
    expect(out().toString()).toContain('2100-02-28T10:00:00.000Z,/ahead,1\r\n')
  })

  it('says that a file was replaced while it is followed', async () => {
    writeFileSync(file, 'one\ntwo\n')
    const args = ['--conditions=source', join(EXAMPLE, 'main.ts'), file, '--data', data()]
    const job = spawn(process.execPath, args)
    let output = ''
    const closed = new Promise((resolve) => job.on('close', resolve))
    job.stderr.on('data', (text) => (output += text))
    await new Promise<void>((resolve) => job.stdout.on('data', (text) => String(text).includes('bad 2') && resolve()))
    writeFileSync(`${file}.new`, 'another file that is longer\n'.repeat(3))
    renameSync(`${file}.new`, file)
    expect(await closed).toBe(1)
    expect(output).toContain('it was replaced')
  })

  it('ends without a stack trace when nobody reads its output any more', async () => {
    writeFileSync(file, sample)
    const args = ['--conditions=source', join(EXAMPLE, 'main.ts'), file, '--data', data(), '--rate', '1000']
    const job = spawn(process.execPath, args)
    let errors = ''
    job.stderr.on('data', (text) => (errors += text))
    const closed = new Promise((resolve) => job.on('close', resolve))
    job.stdout.once('data', () => job.stdout.destroy())
    expect(await closed).toBe(1)
    expect(errors).toBe('')
  })

  it('refuses a pipe instead of waiting for its writer', () => {
    execFileSync('mkfifo', [file])
    expect(clicks()).toEqual({ code: 1, output: expect.stringContaining('it is no regular file. Name a file') })
  })

  it.each([
    ['was replaced', () => writeFileSync(file, Buffer.concat([Buffer.from('#'), sample])), /was replaced/],
    ['shrank', () => truncateSync(file, 2000), /it shrank: .* bytes were read of it before, it has 2000 now/],
    ['is gone', () => rmSync(file), /cannot be opened .*Check the path/]
  ])('says that a file %s', (_, change, message) => {
    writeFileSync(file, sample.subarray(0, 200_000))
    clicks()
    change()
    expect(clicks()).toEqual({ code: 1, output: expect.stringMatching(message) })
  })

  it.each([
    [['--windw', '1m'], /Unknown option '--windw'/],
    [['--window', 'soon'], /--window takes a duration such as 250ms, 10s, 1m or 6h, not soon/],
    [['--rate', '0'], /--rate takes a whole number above 0, not 0/],
    [['--log', 'nowhere:'], /nowhere:/],
    [['--out', 'no/such/directory/out.csv'], /--out .*: the directory .* does not exist/],
    [['--out', '.'], /--out \. is a directory/]
  ])('says what is wrong with %j', (args, message) => {
    writeFileSync(file, '')
    const run = clicks(args)
    expect(run.code).not.toBe(0)
    expect(run.output).toMatch(message)
    expect(run.output).not.toContain('    at ')
  })

  it('leaves the directory to the process that has it, and names that', async () => {
    writeFileSync(file, sample)
    const args = ['--conditions=source', join(EXAMPLE, 'main.ts'), file, '--data', data(), '--rate', '100']
    const first = spawn(process.execPath, args, { stdio: 'ignore' })
    try {
      while (!existsSync(join(data(), 'clicks-0'))) await new Promise((resolve) => setTimeout(resolve, 20))
      const second = clicks()
      expect(second.code).toBe(1)
      expect(second.output).toContain(`pid ${first.pid}`)
    } finally {
      const closed = new Promise((resolve) => first.on('close', resolve))
      first.kill('SIGINT')
      expect(await closed).toBe(0)
    }
    // A clean end: nothing is recovered, and nothing is counted twice.
    expect(clicks(['--out', join(directory, 'out.csv')]).code).toBe(0)
    expect(out().equals(countByOracle(sample, DEFAULTS).csv)).toBe(true)
  })
})
