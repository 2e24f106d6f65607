import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { type GoldenCase, GoldenFileError, readCases } from './case.ts'
import { runCase } from './run-case.ts'

const folder = fileURLToPath(new URL('../../../shared/golden', import.meta.url))

const counting: GoldenCase = {
  name: 'counts per key',
  topology: [
    { id: 's', op: 'stream', topic: 'in' },
    { id: 'g', op: 'groupByKey', from: 's' },
    { id: 'c', op: 'count', from: 'g', store: 'counts' },
    { id: 'o', op: 'toStream', from: 'c' },
    { op: 'to', from: 'o', topic: 'out' }
  ],
  input: [
    ['in', 'a', '1', 10],
    ['in', null, '2', 20],
    ['in', 'a', '3', 5]
  ],
  output: [
    [0, 'out', 'a', '1', 10],
    [2, 'out', 'a', '2', 10]
  ],
  stores: { counts: [['a', '2', 10]] }
}

describe('the golden runner', () => {
  it('passes a case whose every output and store agrees', async () => {
    expect(await runCase(counting)).toEqual({ kind: 'passed' })
  })

  it('fails a case at the first input whose output differs, and says what came', async () => {
    const wrong = { ...counting, output: [counting.output[0], [2, 'out', 'a', '2', 5] as const] }
    expect(await runCase(wrong)).toEqual({
      kind: 'failed',
      difference: 'at input 2 ["in","a","3",5]: came [[2,"out","a","2",10]], expected [[2,"out","a","2",5]]'
    })
  })

  it('fails a case whose store differs at the end', async () => {
    const outcome = await runCase({ ...counting, stores: { counts: [['a', '3', 10]] } })
    expect(outcome).toMatchObject({ kind: 'failed', difference: expect.stringContaining('store counts') })
  })

  it('skips a case by the operator that is not built', async () => {
    const { topology } = counting
    const nodes = [...topology.slice(0, 3), { id: 'x', op: 'unheardOf', from: 'c' }, ...topology.slice(3)]
    expect(await runCase({ ...counting, topology: nodes })).toEqual({ kind: 'skipped', operator: 'unheardOf' })
  })

  it('fails, not skips, a case with a function it does not know', async () => {
    const filtered = [counting.topology[0], { id: 'g', op: 'filter', from: 's', fn: 'never' }]
    expect(await runCase({ ...counting, topology: filtered })).toMatchObject({ kind: 'failed' })
  })
})

describe('files without cases', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-golden-'))
  afterAll(() => rmSync(scratch, { recursive: true }))

  it('are an error that names them, since nothing that ran may not look like all that passed', () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(scratch, name), text)
      return join(scratch, name)
    }
    expect(() => readCases([join(scratch, 'nowhere')])).toThrow('nowhere: there is no such file or directory')
    expect(() => readCases([scratch])).toThrow(`there are no cases in ${scratch}`)
    expect(() => readCases([file('half.json', '[{')])).toThrow(/half\.json: Expected property name/)
    expect(() => readCases([file('other.json', '[{ "name": "x" }]')])).toThrow('it is no list of recorded cases')
    const { output: _, ...unrecorded } = counting
    expect(() => readCases([file('unrecorded.json', JSON.stringify([unrecorded]))])).toThrow(GoldenFileError)
  })
})

describe.skipIf(!existsSync(folder))(`what Kafka Streams answers (skipped where ${folder} is missing)`, () => {
  const cases = existsSync(folder) ? readCases([folder]) : []

  it('covers every family', () => {
    expect(cases.length).toBeGreaterThanOrEqual(396)
  })

  it.each(cases.map((golden) => [golden.name, golden] as const))('%s', async (_, golden) => {
    expect(await runCase(golden)).toEqual({ kind: 'passed' })
  })
})

describe('what Kafka Streams answered to compositions', () => {
  const cases = readCases([fileURLToPath(new URL('../../test/golden-extra', import.meta.url))])

  it.each(cases.map((golden) => [golden.name, golden] as const))('%s', async (_, golden) => {
    expect(await runCase(golden)).toEqual({ kind: 'passed' })
  })
})
