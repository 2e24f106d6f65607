import type { GoldenCase } from '../case.ts'
import { comparedFacts, factsOf, isThroughTopic, type ReadNode } from './case-graph.ts'

/**
 * What is left of a result when updates are held back until a commit: every update as it was; the last per key; or nothing that could be compared,
 * with the reason. And whether it came through an internal topic, whose records are seen at a commit.
 */
interface Kept {
  readonly what: 'every' | 'last' | { readonly lost: string }
  readonly delayed: boolean
  /** Whether every update is a value, so that each goes on at the commit. One from nothing to nothing does not, though its time counts. */
  readonly neverNull: boolean
  /** Whether a suppress has let it go, at a time that commits have a part in. */
  readonly released: boolean
  /** Topics that it comes from. */
  readonly roots: ReadonlySet<string>
  /** Whether it counts rows that were held back: of a key whose rows came and went between two commits, Kafka Streams says 0 and we say nothing. */
  readonly mayMissZeros: boolean
}

const UNDONE_ZERO = 'a step tells a count of no rows from no count'

/** Why the last values of a case's keys depend on how updates are grouped into commits; undefined when they do not. Its operators and functions decide. */
export function dependsOnGrouping(golden: GoldenCase): string | undefined {
  const compared = comparedFacts(golden, factsOf<Kept>(golden, keptBy))
  for (const { what } of compared.flat()) if (typeof what === 'object') return what.lost
  const isShared = (facts: readonly Kept[]): boolean =>
    facts.length > 1 && facts.some(({ what, delayed }) => what !== 'every' || delayed)
  return compared.some(isShared) ? 'two steps write to one topic, and one of them at commits' : undefined
}

/** Names of the topics and stores, as `factsOf` has them, in which a row of 0 and no row are the same. */
export function withoutZeros(golden: GoldenCase): ReadonlySet<string> {
  const facts = factsOf<Kept>(golden, keptBy)
  return new Set([...facts].flatMap(([name, found]) => (found.some(({ mayMissZeros }) => mayMissZeros) ? [name] : [])))
}

function keptBy(read: ReadNode<Kept>): Kept {
  const { node, inputs } = read
  const facts = inputs.map(({ fact }) => fact)
  const own = node.topic === undefined ? [] : [node.topic]
  const seen = {
    delayed: facts.some(({ delayed }) => delayed) || isThroughTopic(node),
    neverNull: node.op === 'count' || node.op === 'aggregate',
    released: node.op === 'suppress' || facts.some(({ released }) => released),
    roots: new Set([...own, ...facts.flatMap(({ roots }) => [...roots])])
  }
  const lost = facts.map(({ what }) => what).find((what) => typeof what === 'object')
  if (lost !== undefined) return { ...seen, what: lost, mayMissZeros: false }
  const everyInput = facts.every(({ what }) => what === 'every')
  const missesZeros = facts.some(({ mayMissZeros }) => mayMissZeros)
  const what = missesZeros && !KEEPS_ZEROS.has(node.op) ? { lost: UNDONE_ZERO } : undefined
  const countsHeldBack = node.op === 'count' && inputs[0]?.kind === 'grouped-table' && !everyInput
  return {
    ...seen,
    what: what ?? whatIsKept(read, everyInput),
    mayMissZeros: missesZeros || countsHeldBack
  }
}

/** Steps behind which a count of 0 is 0 still. */
export const KEEPS_ZEROS: ReadonlySet<string> = new Set(['toStream', 'toTable', 'to', 'filter', 'filterNot'])

function whatIsKept({ node, kind, inputs }: ReadNode<Kept>, every: boolean): Kept['what'] {
  const { op } = node
  const asIs = every ? 'every' : 'last'
  const isRead = inputs[0]?.kind
  const meetLate = inputs.length > 1 && inputs.some(({ fact }) => fact.delayed)
  // A table that is kept holds its updates back as aggregations do, unless it keeps versions.
  const table = every && (node.store === undefined || node.historyMs !== undefined) ? 'every' : 'last'
  if (node.historyMs !== undefined && inputs.length > 0 && !every) {
    return {
      lost: 'versions are kept of what comes at commits, where of two updates out of order only the second is left'
    }
  }
  switch (op) {
    case 'count':
    case 'reduce':
    case 'aggregate':
      if (every || (op === 'count' && isRead === 'grouped-table')) return 'last'
      return { lost: 'an aggregation sees the updates of a table, and its function tells them apart' }
    case 'suppress':
      if (every) return asIs
      if (node.untilTimeLimitMs !== undefined) return { lost: 'a suppress by time lets go what was last by then' }
      if (inputs[0]?.fact.neverNull) return asIs
      return { lost: 'the time of a suppress is moved by updates from nothing to nothing, which no commit sends' }
    case 'cogroup':
    case 'merge':
      if (every && !meetLate) return 'every'
      return { lost: 'the order of two streams is seen, and one of them comes at commits' }
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      if (inputs.some(({ fact }) => fact.released)) {
        return { lost: 'a join reads what is there when a suppress lets go' }
      }
      if (kind === 'table') {
        const kept = meetLate || node.foreignKeyFn !== undefined ? 'last' : table
        if (kept === 'every' || !haveSameRoot(inputs)) return kept
        return { lost: 'both sides of a join change at once, and each change goes on by itself' }
      }
      if (every && !meetLate) return 'every'
      return { lost: 'a stream meets what comes at commits' }
    case 'process':
    case 'map':
    case 'selectKey':
    case 'flatMapValues':
    case 'split':
      return every ? 'every' : { lost: 'a step sees the updates of a table one by one' }
    case 'filter':
    case 'filterNot':
      if (kind !== 'stream' || every) return table
      return { lost: 'a step sees the updates of a table one by one' }
    case 'table':
    case 'toTable':
      return table
    case 'transformValues':
      if (every || node.fn === 'presence') return table
      return { lost: 'a transformer remembers the updates of a table' }
    case 'mapValues':
      return kind === 'table' ? table : asIs
    default:
      return asIs
  }
}

function haveSameRoot([left, right]: ReadNode<Kept>['inputs']): boolean {
  return right !== undefined && [...left.fact.roots].some((root) => right.fact.roots.has(root))
}
