import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkBanned } from './banned.ts'
import { checkCycles } from './cycles.ts'
import { checkDocumentation } from './documentation.ts'
import { checkLinks, programsOf, runProgram } from './documents.ts'
import { checkLayers } from './layers.ts'
import { parseText } from './source-file.ts'
import { measure } from './yardstick.ts'

const file = (path: string, text: string) => parseText(path, text)
const messages = (findings: readonly { message: string }[]) => findings.map((finding) => finding.message)

describe('checkLayers', () => {
  it.each([
    ['packages/log/src/wire/a.ts', '../broker/b.ts', /wire imports broker, a higher layer/],
    ['packages/log/src/client/a.ts', '../wire/b.ts', undefined],
    ['packages/log/src/wire/a.test.ts', '../broker/b.ts', undefined],
    ['packages/log/src/wire/a.ts', '@millrace/streams', /not below it/],
    ['packages/streams/src/app/a.ts', '@millrace/log', undefined],
    ['packages/streams/src/app/a.ts', '@millrace/log/testing', undefined],
    ['packages/streams/src/app/a.ts', '@millrace/log/src/wire/a.ts', /past the package's entry point/],
    ['packages/streams/src/app/a.ts', '../../../log/src/index.ts', /leaves the package/],
    ['examples/a.ts', '../packages/log/src/index.ts', /reaches into a package/],
    ['examples/a.ts', '@millrace/streams/src/app/a.ts', /past the package's entry point/]
  ])('%s importing %s', (path, specifier, expected) => {
    const found = messages(checkLayers([file(path, `import { x } from '${specifier}'\nx()`)]))
    if (expected) expect(found.join()).toMatch(expected)
    else expect(found).toEqual([])
  })

  it('does not let the client import the broker, though the broker is below it', () => {
    const found = checkLayers([
      file('packages/log/src/client/producer/a.ts', `import { x } from '../../broker/b.ts'\nx()`)
    ])
    expect(messages(found)).toEqual(['client/ never imports broker/: it speaks through a transport'])
  })
})

describe('checkCycles', () => {
  const a = file('packages/log/src/wire/a.ts', `import { b } from './b.ts'\nexport const a = () => b`)

  it('finds a cycle of values', () => {
    const b = file('packages/log/src/wire/b.ts', `import { a } from './a.ts'\nexport const b = () => a`)
    expect(messages(checkCycles([a, b])).join()).toMatch(/import cycle: .*a\.ts.*b\.ts|import cycle: .*b\.ts.*a\.ts/)
  })

  it('lets types refer to each other', () => {
    const b = file('packages/log/src/wire/b.ts', `import type { a } from './a.ts'\nexport type B = typeof a`)
    expect(checkCycles([a, b])).toEqual([])
  })
})

describe('checkBanned', () => {
  it.each([
    ['throw new Error("x")', /bare Error/],
    ['throw Error("x")', /bare Error/],
    ['const t = Date.now()', /clock\.nowMs/],
    ['const t = new Date()', /clock\.nowMs/],
    ['const t = new Date(0)', undefined],
    ['setTimeout(() => {}, 1)', /timers\.set/],
    ['const t = performance.now()', /monotonicMs/],
    ['import { readFileSync } from "node:fs"', /environment\.files/],
    ['import type { Stats } from "node:fs"', undefined],
    ['class MyError extends Error {}', undefined]
  ])('%s', (code, expected) => {
    const found = messages(checkBanned([file('packages/log/src/wire/a.ts', code)])).join()
    if (expected) expect(found).toMatch(expected)
    else expect(found).toBe('')
  })
})

describe('checkDocumentation', () => {
  it('names what is exported without a comment', () => {
    const text =
      '/** Known. */\nexport const a = 1\nexport function b() {}\n// no doc\nexport interface C {}\nexport { a as d }'
    expect(messages(checkDocumentation([file('packages/log/src/wire/a.ts', text)]))).toEqual([
      'b has no documentation',
      'C has no documentation'
    ])
  })
})

describe('documents', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
    mkdirSync(join(root, 'docs'))
  })
  afterEach(() => rmSync(root, { recursive: true }))
  const write = (name: string, text: string) => writeFileSync(join(root, name), text)

  it('finds links to nothing', () => {
    write('other.md', '# A heading, with `code`\n')
    write(
      'a.md',
      '[a](other.md) [b](gone.md) [c](other.md#a-heading-with-code) [d](other.md#gone) [e](https://example.org)'
    )
    expect(messages(checkLinks(root, ['a.md']))).toEqual(['dead link: gone.md', 'no such heading: other.md#gone'])
  })

  it('runs programs and compares what they print', async () => {
    const block = (code: string, output = '') =>
      `\`\`\`ts\n${code}\n\`\`\`\n${output && `\n\`\`\`text output\n${output}\n\`\`\`\n`}`
    write('a.md', `${block('console.log(1 + 1)', '2')}${block('console.log(3)', '4')}${block('throw 1')}`)
    const programs = programsOf(root, 'a.md')
    const findings = await Promise.all(programs.map((program) => runProgram(root, program)))
    expect(findings.map((finding) => finding?.message.split('\n')[0])).toEqual([
      undefined,
      'its code prints something else:',
      'its code does not run (exit 1):'
    ])
  })
})

describe('measure', () => {
  it('counts lines, parameters and escapes', () => {
    const text = '/** x */\nexport function f(a: any, b: 1, c: 2, d: 3) {\n  return a! as string\n}\n'
    const rows = new Map(measure([file('packages/log/src/wire/a.ts', text)]).map((row) => [row.name, row.value]))
    expect(rows.get('functions with more than 3 parameters')).toBe('1')
    expect(rows.get('any / ! / as per 1,000 lines')).toBe('250.0 / 250.0 / 250.0')
  })

  it('lists what is past a target, worst first', () => {
    const text = '/** x */\nexport function f(a, b, c, d) {}\nfunction g(a, b, c, d, e) {}\nfunction h(a, b, c) {}\n'
    const rows = new Map(measure([file('packages/log/src/wire/a.ts', text)]).map((row) => [row.name, row.beyond]))
    expect(rows.get('functions with more than 3 parameters')).toEqual([
      '5  packages/log/src/wire/a.ts:3',
      '4  packages/log/src/wire/a.ts:2'
    ])
    expect(rows.get('file lines max')).toEqual([])
  })
})
