import type { GoldenCase } from '../case.ts'
import { factsOf, type ReadNode } from './case-graph.ts'

/**
 * What is the same of a topology's results however its internal topics are read: all of each key's updates; the last of each key, where answers of a
 * foreign-key join supersede one another on their way; or nothing, behind a step that tells such updates apart.
 */
export type Kept = 'every' | 'last' | 'nothing'

interface Fact {
  readonly kept: Kept
  /** Whether it came through an internal topic: of two that did, nobody says which is first. */
  readonly delayed: boolean
}

/** By output topic, in one partition, record by record. */
export function keptInOnePartition(given: Pick<GoldenCase, 'topology'>): ReadonlyMap<string, Kept> {
  const facts = factsOf<Fact>(given, factOf)
  const topics = given.topology.flatMap(({ op, topic = '' }) => (op === 'to' ? [topic] : []))
  return new Map(topics.map((topic) => [topic, keptOf(facts.get(`topic:${topic}`) ?? [])]))
}

/** Of several steps that write to one topic nobody says which is first, unless all of them do it at once. */
function keptOf(facts: readonly Fact[]): Kept {
  const [first] = facts
  if (facts.length === 1) return first.kept
  return facts.every(({ kept, delayed }) => kept === 'every' && !delayed) ? 'every' : 'nothing'
}

function factOf(read: ReadNode<Fact>): Fact {
  const { node, inputs } = read
  const through = ['repartition', 'groupBy', 'map', 'selectKey', 'flatMap'].includes(node.op)
  return {
    kept: keptBy(read),
    delayed: through || node.foreignKeyFn !== undefined || inputs.some(({ fact }) => fact.delayed)
  }
}

function keptBy({ node, kind, inputs }: ReadNode<Fact>): Kept {
  const facts = inputs.map(({ fact }) => fact.kept)
  if (facts.includes('nothing')) return 'nothing'
  if (node.foreignKeyFn !== undefined) return 'last'
  const meet = inputs.filter(({ fact }) => fact.delayed).length > 1
  if (!facts.includes('last')) {
    if (!meet) return 'every'
    return kind === 'table' ? 'last' : 'nothing'
  }
  switch (node.op) {
    case 'filter':
    case 'filterNot':
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      return kind === 'table' ? 'last' : 'nothing'
    case 'count':
      return inputs[0]?.kind === 'grouped-table' ? 'last' : 'nothing'
    case 'groupBy':
      return inputs[0]?.kind === 'table' ? 'last' : 'nothing'
    case 'transformValues':
      return node.fn === 'presence' ? 'last' : 'nothing'
    case 'mapValues':
    case 'toStream':
    case 'toTable':
    case 'repartition':
    case 'to':
      return 'last'
    default:
      return 'nothing'
  }
}
