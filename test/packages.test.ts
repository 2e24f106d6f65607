import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const PACKAGES = ['log', 'streams', 'connectors']
const TIMEOUT_MS = 240_000

/** What a user would write; runs as TypeScript's type checker sees it and, types taken off, as JavaScript. */
const PROGRAM = `
import { openLog, type Log } from '@millrace/log'
import { memoryEnvironment } from '@millrace/log'
import { defineTopology, runStreams, string, type Topology } from '@millrace/streams'
import { skip } from '@millrace/streams/rx'
import { TopologyTestDriver } from '@millrace/streams/testing'
import type { Sink, Source } from '@millrace/connectors'

export type Connectors = readonly [Source<number>, Sink]

const topology: Topology = defineTopology('packed', (b) => {
  b.stream('words', { key: string(), value: string() })
    .groupBy((word) => word)
    .count({ store: 'counts' })
    .toStream()
    .to('word-counts')
})
const log: Log = await openLog({ environment: memoryEnvironment() })
const app = await runStreams(topology, { log })
const producer = log.producer()
for (const word of ['to', 'be', 'or', 'not', 'to', 'be']) {
  await producer.send({ topic: 'words', key: null, value: Buffer.from(word) })
}
const counts = app.store<string, number>('counts')
await new Promise<void>((resolve) => {
  const watch = counts.watch('be').subscribe(({ value }) => {
    if (value !== 2) return
    queueMicrotask(() => watch.unsubscribe())
    resolve()
  })
})
await producer.close()
await app.close()
await log.close()
console.log('be', 2, typeof TopologyTestDriver, skip(0).verb)
`

describe('the published packages', { timeout: TIMEOUT_MS }, () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-packed-'))
    const run = (command: string, args: readonly string[], cwd = ROOT) =>
      execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
    for (const name of PACKAGES) {
      // Built away from the sources, so that a test leaves no build behind.
      const copy = join(folder, 'packages', name)
      mkdirSync(join(folder, 'packages'), { recursive: true })
      cpSync(join(ROOT, 'packages', name), copy, {
        recursive: true,
        filter: (path) => !/\/(node_modules|dist)$/.test(path)
      })
    }
    cpSync(join(ROOT, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'))
    linkForBuild(folder)
    for (const name of PACKAGES)
      run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], join(folder, 'packages', name))
    const tarballs = PACKAGES.map((name) => {
      run('npm', ['pack', '--pack-destination', folder, '--silent'], join(folder, 'packages', name))
      return readdirSync(folder).find((file) => file.startsWith(`millrace-${name}-`)) ?? ''
    })
    const app = join(folder, 'app')
    mkdirSync(app)
    writeFileSync(join(app, 'package.json'), '{ "type": "module", "private": true }')
    run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs.map((file) => join(folder, file))],
      app
    )
    writeFileSync(join(app, 'program.ts'), PROGRAM)
  }, TIMEOUT_MS)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('hold JavaScript, types and sources, and no tests', () => {
    for (const name of PACKAGES) {
      const files = readdirSync(join(folder, 'app/node_modules/@millrace', name), { recursive: true }).map(String)
      expect(files).toContain('dist/index.js')
      expect(files).toContain('dist/index.d.ts')
      expect(files.filter((file) => /^dist\/.*\.test\./.test(file))).toEqual([])
    }
  })

  it('run a program as JavaScript', () => {
    const output = execFileSync(process.execPath, ['program.ts'], { cwd: join(folder, 'app'), encoding: 'utf8' })
    expect(output.trim()).toBe('be 2 function skip')
  })

  it('type-check the program, and show it nothing but their entry points', () => {
    const app = join(folder, 'app')
    const options = {
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'dom'],
      noEmit: true,
      types: ['node']
    }
    writeFileSync(
      join(app, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...options, typeRoots: [join(ROOT, 'node_modules/@types')], skipLibCheck: false },
        files: ['program.ts']
      })
    )
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    execFileSync(tsc, ['-p', '.'], { cwd: app, encoding: 'utf8' })
    writeFileSync(join(app, 'program.ts'), `import '@millrace/log/src/open-log.ts'\n`)
    expect(() => execFileSync(tsc, ['-p', '.'], { cwd: app, stdio: 'pipe' })).toThrow()
  })
})

/** Lets the copies find each other and the development dependencies while they are built. */
function linkForBuild(folder: string): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@millrace'), { recursive: true })
  for (const entry of readdirSync(join(ROOT, 'node_modules'))) {
    if (entry === '@millrace' || entry === '.bin') continue
    symlinkSync(join(ROOT, 'node_modules', entry), join(modules, entry))
  }
  for (const name of PACKAGES) symlinkSync(join(folder, 'packages', name), join(modules, '@millrace', name))
}
