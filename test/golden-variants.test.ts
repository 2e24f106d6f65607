import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { caseFiles, type GoldenCase, readCases } from '../tools/golden/case.ts'
import { runVariant, VARIANTS } from '../tools/golden/variants/variants.ts'

const folder = fileURLToPath(new URL('../../shared/golden', import.meta.url))
const families = existsSync(folder) ? caseFiles([folder]).map((file) => readCases([file])) : []
const compositions = readCases([fileURLToPath(new URL('golden-extra', import.meta.url))])
const raced = readCases([fileURLToPath(new URL('golden-extra/raced-updates.json', import.meta.url))])

/** Lives are what takes time: here as many, the command runs all cases to their ends. */
const LIVES = 20

/** The first cases that may be run in the variant. */
async function firstOf(cases: readonly GoldenCase[], name: string, most: number): Promise<GoldenCase[]> {
  const found: GoldenCase[] = []
  for (const golden of cases) {
    if (found.length === most) break
    if ((await VARIANTS[name].excludes(golden)) === undefined) found.push(golden)
  }
  return found
}

/** The first case of each family that may be run in the variant. */
async function oneOfEach(name: string): Promise<GoldenCase[]> {
  return (await Promise.all(families.map((cases) => firstOf(cases, name, 1)))).flat()
}

/** The case up to an input: what Kafka Streams answered to the others, and in the end, does not count. */
function beginning({ name, topology, input, output }: GoldenCase, inputs: number): GoldenCase {
  return { name, topology, input: input.slice(0, inputs), output: output.filter(([index]) => index < inputs) }
}

async function outcomes(name: string, cases: readonly GoldenCase[]) {
  const excluded = new Map<string, number>()
  let passed = 0
  for (const golden of cases) {
    const outcome = await runVariant(VARIANTS[name], golden)
    if (outcome.kind === 'excluded') excluded.set(outcome.reason, (excluded.get(outcome.reason) ?? 0) + 1)
    else expect(outcome, golden.name).toEqual({ kind: 'passed' })
    if (outcome.kind === 'passed') passed++
  }
  return { passed, excluded: Object.fromEntries(excluded) }
}

const counting: GoldenCase = {
  name: 'counts, and counts of counts',
  topology: [
    { id: 's', op: 'stream', topic: 'in' },
    { id: 'g', op: 'groupByKey', from: 's' },
    { id: 'c', op: 'count', from: 'g', store: 'counts' },
    { id: 'o', op: 'toStream', from: 'c' },
    { op: 'to', from: 'o', topic: 'out' }
  ],
  input: [
    ['in', 'a', '1', 10],
    ['in', 'b', '2', 20],
    ['in', 'a', '3', 5]
  ],
  output: [
    [0, 'out', 'a', '1', 10],
    [1, 'out', 'b', '1', 20],
    [2, 'out', 'a', '2', 10]
  ],
  stores: {
    counts: [
      ['a', '2', 10],
      ['b', '1', 20]
    ]
  }
}

describe.each(Object.entries(VARIANTS))('the golden variant %s', (name, variant) => {
  it('passes what is right, and fails what is not', async () => {
    expect(await runVariant(variant, counting)).toEqual({ kind: 'passed' })
    const lost = { ...counting, output: counting.output.slice(0, 2) }
    expect(await runVariant(variant, lost)).toMatchObject({
      kind: 'failed',
      difference: expect.stringContaining('"a"')
    })
    const wrong = { ...counting, stores: { counts: [['a', '3', 10] as const] } }
    expect(await runVariant(variant, wrong)).toMatchObject({
      kind: 'failed',
      difference: expect.stringContaining('store')
    })
    expect(await runVariant(variant, { ...counting, topology: [{ op: 'unheardOf' }] })).toMatchObject({
      kind: 'skipped'
    })
  })

  it('passes compositions', async () => {
    const cases = (await firstOf(compositions, name, 4)).map((golden) => beginning(golden, LIVES))
    expect(await outcomes(name, cases)).toEqual({ passed: 4, excluded: {} })
  })

  it('compares of what comes through several topics only what does not depend on which is read first', async () => {
    const cases = raced.map((golden) => (name === 'crash' ? beginning(golden, LIVES) : golden))
    const { passed, excluded } = await outcomes(name, cases)
    const left = Object.values(excluded).reduce((sum, count) => sum + count, 0)
    expect(passed + left).toBe(raced.length)
    expect(passed).toBeGreaterThanOrEqual(name === 'commit' ? 1 : 4)
  })
})

describe.skipIf(families.length === 0)(`what Kafka Streams answers (skipped where ${folder} is missing)`, () => {
  it('comes with a crash and a restore between every two records', { timeout: 120_000 }, async () => {
    const cases = (await oneOfEach('crash')).map((golden) => beginning(golden, LIVES))
    expect(await outcomes('crash', cases)).toEqual({ passed: families.length, excluded: {} })
  })

  it("comes with emit: 'commit', the last value of every key, where no function tells updates apart", {
    timeout: 120_000
  }, async () => {
    const cases = await oneOfEach('commit')
    expect(await outcomes('commit', cases)).toEqual({ passed: cases.length, excluded: {} })
    expect(cases.length).toBeGreaterThanOrEqual(families.length - 6)
  })

  it('comes from three partitions, where these make no difference', { timeout: 120_000 }, async () => {
    const cases = await oneOfEach('log')
    expect(await outcomes('log', cases)).toEqual({ passed: cases.length, excluded: {} })
    expect(cases.length).toBeGreaterThanOrEqual(30)
  })
})
