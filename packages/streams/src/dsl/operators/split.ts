import { UsageError } from '@millrace/log'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'

/**
 * Parts a stream into branches: each record goes to the first whose predicate is true, in the order in which they are written down, else to the
 * one called `fallback`, if there is one. A branch's name is part of the names of the stores and internal topics below it.
 */
export function split(
  point: Point,
  branches: Readonly<Record<string, Callback<boolean>>>,
  { name, default: fallback }: { readonly name?: string; readonly default?: string }
): ReadonlyMap<string, Point> {
  const { draft } = point
  const refuse = (problem: string): never => {
    throw new UsageError(`topology '${draft.topology}': ${problem}`)
  }
  const named = Object.entries(branches)
  if (named.length === 0) refuse('a split without branches: give at least one { name: predicate }')
  const names = named.map(([branch]) => branch)
  // JavaScript moves such property names before the others, so the order in which they are tried would not be the one that was written.
  for (const branch of names)
    if (/^\d+$/.test(branch)) refuse(`branch '${branch}' of a split: give it a name, not a number`)
  if (fallback !== undefined && names.includes(fallback)) refuse(`a split has two branches '${fallback}'`)
  const verb = 'split'
  const predicates = named.map(([, predicate]) => predicate)
  const step = draft.add({ verb, label: name, parents: [point.step], body: { kind: 'split', predicates } })
  const all = fallback === undefined ? names : [...names, fallback]
  return new Map(
    all.map((branch) => {
      const way = draft.add({ verb: branch, label: undefined, parents: [step], body: { kind: 'branch', branch } })
      return [branch, { ...point, step: way }]
    })
  )
}
