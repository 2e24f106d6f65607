import type { GoldenCase, GoldenNode } from '../case.ts'
import { factsOf, isThroughTopic, type ReadNode } from './case-graph.ts'

/**
 * What is the same of a topology's results however its internal topics are read: all of each key's updates; the last of each key, where answers of a
 * foreign-key join supersede one another on their way; or nothing, behind a step that tells such updates apart.
 */
export type Kept = 'every' | 'last' | 'nothing'

interface Fact {
  readonly kept: Kept
  /** Whether it came through an internal topic: of two that did, nobody says which is first. */
  readonly delayed: boolean
  /** Whether it is a stream of windows, whose keys are text from there on: it goes through an internal topic once they are needed. */
  readonly rekeyedWindows: boolean
  /** Whether one record of the input may change rows of several keys. */
  readonly manyKeys: boolean
  /** Whether these are in several partitions: nobody says which of them is first. */
  readonly spread: boolean
  /** Whether a suppress has let it go: it says then that the row was what was held back before, as Kafka Streams does. */
  readonly released: boolean
}

/** What is kept of a case's results, record by record. */
export interface KeptResults {
  readonly topics: ReadonlyMap<string, Kept>
  readonly stores: ReadonlyMap<string, Kept>
}

/** What is kept when every topic has as many partitions. */
export function keptInPartitions(given: Pick<GoldenCase, 'topology'>, partitions: number): KeptResults {
  const facts = factsOf<Fact>(given, (read) => factOf(read, partitions))
  const named = (kind: string): Map<string, Kept> =>
    new Map(
      [...facts].flatMap(([name, found]) =>
        name.startsWith(`${kind}:`) ? [[name.slice(kind.length + 1), keptOf(found)]] : []
      )
    )
  return { topics: named('topic'), stores: named('store') }
}

/** Of several steps that write to one topic nobody says which is first, unless all of them do it at once. */
function keptOf(facts: readonly Fact[]): Kept {
  const [first] = facts
  if (facts.length === 1) return first.kept
  return facts.every(({ kept, delayed }) => kept === 'every' && !delayed) ? 'every' : 'nothing'
}

function factOf(read: ReadNode<Fact>, partitions: number): Fact {
  const { node, kind, inputs, windowed } = read
  const facts = inputs.map(({ fact }) => fact)
  const through = isThroughTopic(node)
  const makesMany = node.op === 'flatMap' || node.everyMs !== undefined || node.foreignKeyFn !== undefined
  const manyKeys = makesMany || kind === 'grouped-table' || facts.some((fact) => fact.manyKeys)
  const wasSpread = facts.some(({ spread }) => spread)
  const kept = keptBy(read)
  return {
    kept: through && wasSpread && kept !== 'nothing' ? (kind === 'grouped-table' ? 'last' : 'nothing') : kept,
    delayed: through || facts.some((fact) => isDelayed(fact, node)),
    rekeyedWindows: NEEDS_KEYS.has(node.op)
      ? false
      : (node.op === 'toStream' && windowed) || facts.some((fact) => fact.rekeyedWindows),
    manyKeys,
    released: node.op === 'suppress' || facts.some(({ released }) => released),
    spread: wasSpread || (partitions > 1 && through && manyKeys)
  }
}

const NEEDS_KEYS: ReadonlySet<string> = new Set(['groupByKey', 'toTable', 'join', 'leftJoin', 'outerJoin'])

function isDelayed({ delayed, rekeyedWindows }: Fact, by: GoldenNode): boolean {
  return delayed || (rekeyedWindows && NEEDS_KEYS.has(by.op))
}

function keptBy({ node, kind, inputs }: ReadNode<Fact>): Kept {
  const facts = inputs.map(({ fact }) => fact.kept)
  if (facts.includes('nothing')) return 'nothing'
  if (node.foreignKeyFn !== undefined) return 'last'
  const meet = inputs.filter(({ fact }) => isDelayed(fact, node)).length > 1
  if (!facts.includes('last')) {
    if (!meet) return 'every'
    // Whether a filter below sends a deletion goes by what the row is said to have been.
    return kind === 'table' && !inputs.some(({ fact }) => fact.released) ? 'last' : 'nothing'
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
