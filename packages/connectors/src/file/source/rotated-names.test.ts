import fc from 'fast-check'
import { expect, it } from 'vitest'
import { oldestFirst } from './rotated-names.ts'

/** The suffixes of files in the order of their ages; their times are those given, or all the same. */
const ordered = (suffixes: readonly string[], times: readonly number[] = [], modifiedMs = -1) =>
  oldestFirst(
    suffixes.map((suffix, index) => ({ path: `/logs/app.log${suffix}`, modifiedMs: times[index] ?? 0 })),
    { name: 'app.log', modifiedMs }
  ).map(({ path }) => path.slice('/logs/app.log'.length))

it.each([
  [['.10.gz', '.9', '.2.gz', '.1']],
  [['-20251231', '-20260101.gz', '-20260102']],
  [['.2026-11-21-09', '.2026-11-21-13.gz', '.2026-11-21-13-5', '.2026-11-22-00']],
  [['.2026-11-21.2.gz', '.2026-11-21.10', '.2026-11-22.1']],
  [['-2026112109', '-2026112113', '-2026112200']],
  [['-1795265607', '-1795265999']]
])('rotated files are in the order of their names, whatever their times are: %j', (names) => {
  fc.assert(
    fc.property(fc.shuffledSubarray(names), fc.array(fc.nat(3)), (some, times) => {
      expect(ordered(some, times)).toEqual(names.filter((name) => some.includes(name)))
    })
  )
})

it('of several kinds, times say which is older', () => {
  expect(ordered(['.1', '.2', '-20261121', '-20261120'], [10, 1, 20, 15])).toEqual([
    '.2',
    '.1',
    '-20261120',
    '-20261121'
  ])
  expect(ordered(['.old', '.1', '-20261121'], [5, 7, 1])).toEqual(['-20261121', '.old', '.1'])
})

it('of numbers the higher is newer only when all times say so', () => {
  const suffixes = ['.1', '.2', '.10']
  expect(ordered(suffixes, [1, 2, 3], 4)).toEqual(['.1', '.2', '.10'])
  // Copied in the order of their names: the one without a number came first.
  expect(ordered(suffixes, [1, 2, 3], 0)).toEqual(['.10', '.2', '.1'])
  expect(ordered(suffixes, [1, 3, 2], 4)).toEqual(['.10', '.2', '.1'])
  expect(ordered(suffixes, [1, 1, 1], 1)).toEqual(['.10', '.2', '.1'])
})
