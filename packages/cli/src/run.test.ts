import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runStreams } from '@millrace/streams'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from './run.ts'
import { loadTopology } from './topology-file.ts'

const example = fileURLToPath(new URL('../../../examples/01-click-aggregator/topology.ts', import.meta.url))
let directory: string
/** A module with the example's topology, since the example itself exports a function. */
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  file = join(directory, 'clicks.ts')
  writeFileSync(
    file,
    `import { clickAggregator } from ${JSON.stringify(example)}
export default clickAggregator({ window: '1m', grace: '10s' })
export const hourly = clickAggregator({ window: '1h', grace: '10s' })
`
  )
})
afterEach(() => rmSync(directory, { recursive: true }))

async function millrace(...args: string[]) {
  const seen = { out: '', err: '' }
  const code = await run(args, {
    out: (text) => {
      seen.out += text
    },
    err: (text) => {
      seen.err += text
    }
  })
  return { code, ...seen }
}

describe('millrace streams', () => {
  it('describes, draws and lints the click aggregator', async () => {
    const text = await millrace('streams', 'describe', file)
    expect(text).toMatchObject({ code: 0, err: '' })
    expect(text.out).toContain('Source: clicks-source (topics: [clicks])')
    const json = await millrace('streams', 'describe', file, '--json')
    expect(JSON.parse(json.out)).toMatchObject({ format: 1, name: 'click-aggregator' })
    expect((await millrace('streams', 'mermaid', file)).out).toMatch(/^flowchart TD\n/)
    expect((await millrace('streams', 'dot', file)).out).toMatch(/^digraph "click-aggregator" \{\n/)
    expect(await millrace('streams', 'lint', file)).toEqual({ code: 0, out: 'nothing found\n', err: '' })
  })

  it('compares with what was described before', async () => {
    const before = join(directory, 'before.json')
    writeFileSync(before, (await millrace('streams', 'describe', file, '--json')).out)
    expect(await millrace('streams', 'diff', before, file)).toMatchObject({ code: 0 })
    const { code, out } = await millrace('streams', 'diff', before, `${file}#hourly`)
    expect(code).toBe(1)
    expect(out).toContain('reset    store clicks-per-page: window size in ms: 60000 -> 3600000')
  })

  it('plans a start and resets what ran, only saying so in a dry run', async () => {
    const log = `file:${join(directory, 'data')}`
    const planned = await millrace('streams', 'plan', file, '--log', log)
    expect(planned).toMatchObject({ code: 0, err: '' })
    expect(planned.out).toContain('make   source clicks (1 partition)')
    const app = await runStreams(await loadTopology(file), { log })
    await app.running
    await app.close()
    expect((await millrace('streams', 'plan', file, '--log', log)).out).toContain(
      'keep   internal click-aggregator-clicks-per-page-changelog (1 partition): it exists'
    )
    const dry = await millrace('streams', 'reset', file, '--log', log, '--dry-run')
    expect(dry.out).toContain('would delete topic click-aggregator-clicks-per-page-changelog')
    const done = await millrace('streams', 'reset', file, '--log', log)
    expect(done.out).toContain('deleted topic click-aggregator-clicks-per-page-changelog')
    expect((await millrace('streams', 'plan', file, '--log', log)).out).toContain(
      'make   internal click-aggregator-clicks-per-page-changelog'
    )
  })

  it('makes no log where it only looks for one', async () => {
    const nowhere = join(directory, 'nowhere')
    const planned = await millrace('streams', 'plan', file, '--log', `file:${nowhere}`)
    expect(planned).toMatchObject({ code: 0, err: '' })
    expect(planned.out).toContain('make   source clicks (1 partition)')
    for (const dry of [[], ['--dry-run']]) {
      expect(await millrace('streams', 'reset', file, '--log', `file:${nowhere}`, ...dry)).toEqual({
        code: 1,
        out: '',
        err: `millrace: ${nowhere}: there is no log: name its directory, --log file:DIR\n`
      })
    }
    expect(existsSync(nowhere)).toBe(false)
  })

  it('says what is wrong with a file, without a stack', async () => {
    const source = join(directory, 'several.ts')
    const importing = `import { hourly } from ${JSON.stringify(file)}\n`
    writeFileSync(source, `${importing}export const a = hourly\nexport const b = hourly\n`)
    const several = await millrace('streams', 'describe', source)
    expect(several).toEqual({
      code: 1,
      out: '',
      err: `millrace: ${source}: it exports the topologies a, b: say which, as ${source}#a\n`
    })
    expect((await millrace('streams', 'describe', `${source}#c`)).err).toContain("it exports no 'c'")
    expect((await millrace('streams', 'lint', example)).err).toContain('it exports a function')
    const broken = join(directory, 'broken.json')
    writeFileSync(broken, '{')
    expect((await millrace('streams', 'diff', broken, file)).err).toMatch(
      /^millrace: \S+broken\.json: Expected property/
    )
  })

  it.each([
    [[], 'say what to do'],
    [['topics'], "there is no command 'topics'"],
    [['streams'], 'streams needs a command'],
    [['streams', 'paint'], "streams has no command 'paint'"],
    [['streams', 'diff', 'one.ts'], 'diff takes two files, not 1'],
    [['streams', 'lint', 'a.ts', '--dry-run'], '--dry-run is for reset only'],
    [['streams', 'reset', 'a.ts', '--to', 'noon'], '--to takes earliest or latest, not noon'],
    [['streams', 'lint', '--loud'], 'loud']
  ])('refuses %j and shows the usage', async (args, message) => {
    const { code, out, err } = await millrace(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(err).toContain('Usage: millrace streams COMMAND')
  })

  it('runs as a program, and prints no stack for a missing file', async () => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url))
    const program = (args: readonly string[]) =>
      new Promise<{ code: number | undefined; stderr: string }>((resolve) => {
        const child = execFile(process.execPath, ['--conditions=source', main, ...args], (_error, _out, stderr) =>
          resolve({ code: child.exitCode ?? undefined, stderr })
        )
      })
    expect(await program(['streams', 'lint', 'nowhere.ts'])).toEqual({
      code: 1,
      stderr: 'millrace: nowhere.ts: there is no such file\n'
    })
    expect(await program(['--help'])).toEqual({ code: 0, stderr: '' })
  })
})
