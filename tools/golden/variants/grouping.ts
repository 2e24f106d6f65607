import type { GoldenCase, GoldenNode } from '../case.ts'
import { comparedFacts, factsOf, type ReadNode } from './case-graph.ts'

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
}

/** Why the last values of a case's keys depend on how updates are grouped into commits; undefined when they do not. Its operators and functions decide. */
export function dependsOnGrouping(golden: GoldenCase): string | undefined {
  const compared = comparedFacts(golden, factsOf<Kept>(golden, keptBy))
  for (const { what } of compared.flat()) if (typeof what === 'object') return what.lost
  const isShared = (facts: readonly Kept[]): boolean => facts.length > 1 && facts.some(({ what }) => what !== 'every')
  return compared.some(isShared) ? 'two steps write to one topic, and one of them at commits' : undefined
}

function keptBy({ node, kind, inputs }: ReadNode<Kept>): Kept {
  const lost = inputs.map(({ fact }) => fact.what).find((what) => typeof what === 'object')
  const delayed = inputs.some(({ fact }) => fact.delayed) || isThroughTopic(node)
  const neverNull = node.op === 'count' || node.op === 'aggregate'
  const released = node.op === 'suppress' || inputs.some(({ fact }) => fact.released)
  if (lost !== undefined) return { what: lost, delayed, neverNull, released }
  const everyInput = inputs.every(({ fact }) => fact.what === 'every')
  return { what: whatIsKept({ node, kind, inputs }, everyInput), delayed, neverNull, released }
}

function whatIsKept({ node, kind, inputs }: ReadNode<Kept>, every: boolean): Kept['what'] {
  const { op } = node
  const asIs = every ? 'every' : 'last'
  const isRead = inputs[0]?.kind
  const meetLate = inputs.length > 1 && inputs.some(({ fact }) => fact.delayed)
  // A table that is kept holds its updates back as aggregations do, unless it keeps versions.
  const table = every && (node.store === undefined || node.historyMs !== undefined) ? 'every' : 'last'
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
      if (kind === 'table') return meetLate ? 'last' : table
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

/** Whether a node makes, or may make, an internal topic. */
function isThroughTopic({ op, foreignKeyFn }: GoldenNode): boolean {
  return ['repartition', 'groupBy', 'map', 'selectKey', 'flatMap'].includes(op) || foreignKeyFn !== undefined
}
