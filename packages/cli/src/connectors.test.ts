import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLog } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from './run.ts'

const connectors = import.meta.resolve('@millrace/connectors')
let directory: string
let file: string
let log: string
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-connect-'))
  file = join(directory, 'connectors.ts')
  log = `file:${join(directory, 'data')}`
  writeFileSync(
    file,
    `import { deadLetter, defineSink, defineSource, PoisonousRecordError } from ${JSON.stringify(connectors)}
export const numbers = {
  source: defineSource('numbers', async function* ({ position = 0, signal, sleep }) {
    for (let n = position; !signal.aborted; n++) {
      yield { records: [{ topic: 'numbers', key: String(n), value: { n } }], position: n + 1 }
      await sleep(5)
    }
  })
}
export default [{
  sink: defineSink('odd', (batch) => {
    for (const record of batch) {
      if (String(record.key) === '4' && !process.env.FORGIVING) throw new PoisonousRecordError(record, 'four is not odd')
    }
  }),
  topics: ['numbers'],
  onError: deadLetter('not-odd')
}]
`
  )
})
afterEach(async () => {
  for (const child of children.splice(0)) await ended(child, 'SIGKILL')
  rmSync(directory, { recursive: true })
})

async function millrace(...args: string[]) {
  const seen = { out: '', err: '' }
  const code = await run([...args, '--log', log], {
    out: (text) => {
      seen.out += text
    },
    err: (text) => {
      seen.err += text
    }
  })
  return { code, ...seen }
}

/** The connectors of the file in a process of their own. */
async function connected(): Promise<ChildProcess> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', main, 'connect', file, '--log', log])
  children.push(child)
  let text = ''
  await new Promise<void>((resolve, reject) => {
    const heard = (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('numbers: running') && text.includes('odd: running')) resolve()
    }
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    child.once('exit', () => reject(new TypeError(`it ended: ${text}`)))
  })
  return child
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.kill(signal)
  })
}

async function until(ask: () => Promise<{ readonly out: string }>, text: string | RegExp): Promise<string> {
  for (;;) {
    const { out } = await ask()
    if (typeof text === 'string' ? out.includes(text) : text.test(out)) return out
  }
}

describe('millrace connect and connectors', () => {
  it('looks for a log, and makes none', async () => {
    expect(await millrace('connectors', 'list')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/data: there is no log/)
    })
    expect(existsSync(join(directory, 'data'))).toBe(false)
    mkdirSync(join(directory, 'data'))
    expect((await millrace('connectors', 'list')).err).toContain('there is no log')
    expect(readdirSync(join(directory, 'data'))).toEqual([])
  })

  it('runs connectors, and steers them from another process', async () => {
    const child = await connected()
    expect((await millrace('connectors', 'list')).out).toMatch(
      /^numbers {2}source {2}RUNNING.*\nodd {2}sink {2}RUNNING/
    )
    await until(() => millrace('connectors', 'dlq', 'list', 'odd'), 'key 4  TASK_PUT: ')
    expect((await millrace('connectors', 'pause', 'odd')).out).toMatch(/^odd {2}sink {2}PAUSED {2}wanted: PAUSED/)
    expect(await millrace('connectors', 'offsets', 'edit', 'numbers', '=0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is running: stop it before its offsets are edited')
    })
    expect((await millrace('connectors', 'stop', 'numbers')).out).toContain('STOPPED')
    expect((await millrace('connectors', 'offsets', 'show', 'numbers')).out).toMatch(/^=\d+\n$/)
    expect((await millrace('connectors', 'offsets', 'edit', 'numbers', '=1000')).code).toBe(0)
    expect((await millrace('connectors', 'resume', 'numbers')).out).toContain('wanted: STARTED')
    await until(() => millrace('connectors', 'offsets', 'show', 'numbers'), /^=[1-9]\d{3,}\n$/)
    expect((await millrace('connectors', 'restart', 'odd')).code).toBe(0)
    expect((await millrace('connectors', 'status', 'nobody')).err).toContain(
      "there is no connector 'nobody': there are numbers, odd"
    )
    expect(await ended(child, 'SIGTERM')).toBe(0)
  })

  it('sees and steers what does not run, also after a kill', async () => {
    const child = await connected()
    await until(() => millrace('connectors', 'dlq', 'list', 'odd'), 'key 4')
    await ended(child, 'SIGKILL')
    expect(await millrace('connectors', 'offsets', 'edit', 'odd', 'none-0=1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no partition none-0 on the log')
    })
    expect((await millrace('connectors', 'list')).out).toContain('numbers  source  UNASSIGNED  wanted: STARTED')
    expect((await millrace('connectors', 'pause', 'numbers')).out).toContain('wanted: PAUSED')
    expect((await millrace('connectors', 'restart', 'numbers')).err).toContain('runs nowhere on this log')
    expect((await millrace('connectors', 'dlq', 'list', 'numbers')).err).toContain('has no dead letters')
    expect((await millrace('connectors', 'offsets', 'edit', 'odd', 'numbers-0=99999')).err).toContain(
      'holds offsets 0 to'
    )
    expect((await millrace('connectors', 'offsets', 'edit', 'odd', 'numbers-0=null')).code).toBe(0)
    expect((await millrace('connectors', 'offsets', 'show', 'odd')).out).toContain('numbers-0=0  lag')
    const letters = (await millrace('connectors', 'dlq', 'list', 'odd', '--json')).out
    const { length } = JSON.parse(letters)
    expect((await millrace('connectors', 'dlq', 'list', 'odd', '--limit', '1', '--newest')).out).toMatch(/^0@\d+ .*\n$/)
    expect((await millrace('connectors', 'dlq', 'replay', 'odd')).out).toBe(`${length} sent back\n`)
    expect((await millrace('connectors', 'dlq', 'replay', 'odd')).out).toBe('0 sent back\n')
  })

  it('says that the log is held by one that cannot be asked', async () => {
    const held = await openLog(log)
    expect(await millrace('connectors', 'list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('which runs no connectors or listens on no control socket')
    })
    await held.close()
    expect((await millrace('connectors', 'list')).out).toBe('no connectors\n')
  })

  it.each([
    [['connectors'], 'connectors needs a command'],
    [['connectors', 'status'], 'needs the name'],
    [['connectors', 'offsets', 'edit', 'a'], 'needs a PLACE=VALUE'],
    [['connectors', 'pause', 'a', 'b'], 'one word too many'],
    [['connectors', 'dlq', 'list', 'a', '--limit', 'x'], '--limit takes a whole number above 0, not x'],
    [['connectors', 'status', 'a', '--newest'], 'options of dlq list'],
    [['connect'], 'connect takes one file, not 0']
  ])('refuses %j', async (args, message) => {
    const { code, err } = await millrace(...args)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  it('says what is wrong with a file', async () => {
    writeFileSync(file, 'export const nothing = 1\n')
    expect((await millrace('connect', file)).err).toContain('it exports no connector')
    expect((await millrace('connect', 'nowhere.ts')).err).toContain('nowhere.ts: there is no such file')
    const another = join(directory, 'half.ts')
    writeFileSync(another, 'export const half = { sink: { name: "s", open() {} } }\n')
    expect((await millrace('connect', another)).err).toContain("'half' is no connector: { source } or { sink, topics }")
  })

  it.each([
    ["import { no } from './missing.ts'\nexport const x = no\n", 'missing.ts'],
    ['export const x = {{\n', 'connectors.ts:1: ']
  ])('says where %j is wrong', (text, place) => {
    writeFileSync(file, text)
    const main = fileURLToPath(new URL('./main.ts', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=source', main, 'connect', file])
    expect(status).toBe(1)
    expect(String(stderr)).toContain(place)
    expect(String(stderr)).not.toContain('no such file')
  })
})
