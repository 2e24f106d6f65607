import type { GoldenNode } from '../../golden/case.ts'
import { factsOf, type NodeKind, type ReadNode } from '../../golden/variants/case-graph.ts'
import { KEEPS_ZEROS } from '../../golden/variants/grouping.ts'
import type { RandomCase } from './random-case.ts'

/**
 * What of a result is the same however partitions, instances and topics are interleaved: `all`, every record, and for each key in the same order; `set`, the
 * same records in any order; `final`, of each key the last value, or of a table its rows; `nothing`.
 */
export type Settled = 'all' | 'set' | 'final' | 'nothing'

interface Fact {
  readonly settled: Settled
  /** Whether the key is another one than that of the partition. */
  readonly rekeyed: boolean
  /** Topics it is made of. */
  readonly topics: ReadonlySet<string>
  /** Whether it counts rows: a group that rows came to and left has none in the end, and is not there at all where that was not seen. */
  readonly countsRows: boolean
}

/** The outputs of a case that come out the same everywhere. */
export interface Commuting {
  readonly topics: ReadonlyMap<string, Settled>
  /** Names of stores whose rows do. */
  readonly stores: readonly string[]
  /** Names of those topics and stores in which a row of 0 and no row are the same. */
  readonly withoutZeros: ReadonlySet<string>
}

/** More than all the time that a case covers: with it no record is late, wherever it was held up. */
const LONG_MS = 1_000_000_000
const SELDOM_MS = 5_000

/** The same case with grace periods that exceed every disorder; the time of day is left alone. */
export function withLongGrace(given: RandomCase): RandomCase {
  return {
    ...given,
    topology: given.topology.map(
      (node): GoldenNode => ({
        ...node,
        ...(node.window && { window: { ...node.window, graceMs: LONG_MS } }),
        ...(node.within && { within: { ...node.within, graceMs: LONG_MS } }),
        // What it says is not compared, and the time of day goes on.
        ...(node.fn === 'countsEachWallClock' && { everyMs: SELDOM_MS })
      })
    ),
    input: given.input.filter((input) => !('wallClockMs' in input))
  }
}

/** Marks what of a case's results does not depend on who processes what when; the functions and operators decide. */
export function commutingParts(given: RandomCase): Commuting {
  const facts = factsOf<Fact>(given, factOf)
  const topics = given.topology.flatMap(({ op, topic = '' }) => (op === 'to' ? [topic] : []))
  const stores = given.topology.flatMap(({ store }) => store ?? [])
  const countsRows = (name: string) => (facts.get(name) ?? []).some((fact) => fact.countsRows)
  return {
    withoutZeros: new Set([
      ...topics.filter((topic) => countsRows(`topic:${topic}`)),
      ...stores.filter((store) => countsRows(`store:${store}`))
    ]),
    topics: new Map(
      topics
        .map((topic) => [topic, settledOf(facts.get(`topic:${topic}`) ?? [])] as const)
        .filter(([, settled]) => settled !== 'nothing')
    ),
    stores: stores.filter((store) => settledOf(facts.get(`store:${store}`) ?? []) === 'final')
  }
}

/** Several steps that write to one topic come in between one another. */
function settledOf(facts: readonly Fact[]): Settled {
  if (facts.length === 1) return facts[0].settled
  return facts.every(({ settled }) => settled === 'all' || settled === 'set') ? 'set' : 'nothing'
}

function factOf({ node, kind, inputs }: ReadNode<Fact>): Fact {
  const facts = inputs.map(({ fact }) => fact)
  const isRekeyed = facts.some(({ rekeyed }) => rekeyed)
  const changesKey =
    ['map', 'selectKey', 'flatMap'].includes(node.op) || (node.op === 'toStream' && inputs[0]?.kind === 'table')
  const rekeyed = kind === 'stream' && node.op !== 'repartition' && (isRekeyed || changesKey)
  const topics = new Set([
    ...facts.flatMap((fact) => [...fact.topics]),
    ...(facts.length === 0 ? [node.topic ?? ''] : [])
  ])
  const zeros = facts.some(({ countsRows }) => countsRows)
  const countsRows = zeros || (node.op === 'count' && inputs[0]?.kind === 'grouped-table')
  const fact = { rekeyed, topics, countsRows }
  // Where both sides of a join change together, one of them is read ahead of its change: a row that goes may stay joined, as in Kafka Streams.
  const isShared =
    kind === 'table' && facts.length === 2 && [...facts[0].topics].some((topic) => facts[1].topics.has(topic))
  const isSeen = zeros && !KEEPS_ZEROS.has(node.op)
  if (isShared || isSeen || facts.some(({ settled }) => settled === 'nothing')) return { ...fact, settled: 'nothing' }
  const of = facts.map(({ settled }) => settled)
  return { ...fact, settled: settledBy(node, { kind, isRekeyed, inputs: inputs.map((input) => input.kind), of }) }
}

/** Whether a join's window holds the record's own time: where it does not, a time before 0 counts as 0, on the side that comes last. */
function isAround({ within }: GoldenNode): boolean {
  return within !== undefined && within.beforeMs >= 0 && within.afterMs >= 0
}

interface At {
  readonly kind: NodeKind
  readonly isRekeyed: boolean
  readonly inputs: readonly NodeKind[]
  readonly of: readonly Settled[]
}

function settledBy(node: GoldenNode, { kind, isRekeyed, inputs, of }: At): Settled {
  const [first = 'nothing'] = of
  const onStreams = inputs.every((input) => input === 'stream' || input === 'grouped-stream')
  const isFinal = of.includes('final')
  // Of two updates out of order the newest version is the first; of what a commit made of them, the second.
  if (node.historyMs !== undefined && isFinal) return 'nothing'
  switch (node.op) {
    case 'stream':
      return 'all'
    case 'table':
      return 'final'
    case 'globalTable':
    case 'versionedTable':
    case 'suppress':
      return 'nothing'
    case 'filter':
    case 'filterNot':
      return kind === 'table' || !isFinal ? first : 'nothing'
    case 'mapValues':
    case 'to':
      return first
    case 'flatMapValues':
    case 'split':
      return isFinal ? 'nothing' : first
    case 'map':
    case 'selectKey':
      return isFinal ? 'nothing' : 'set'
    case 'flatMap':
      return isFinal ? 'final' : 'set'
    case 'merge':
      return isFinal ? 'nothing' : 'set'
    case 'repartition':
    case 'groupByKey':
      return isRekeyed && first === 'all' ? 'set' : first
    case 'groupBy':
      return onStreams ? (isFinal ? 'nothing' : 'set') : first
    case 'toTable':
      return first === 'set' || (isRekeyed && first === 'all') ? 'nothing' : 'final'
    case 'toStream':
      return 'final'
    case 'cogroup':
      return of.length === 1 ? first : 'nothing'
    case 'windowedBy':
      return node.emit === 'final' ? 'nothing' : first
    case 'count':
      return onStreams && isFinal ? 'nothing' : 'final'
    case 'reduce':
    case 'aggregate':
      return onStreams && first === 'all' ? 'final' : 'nothing'
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      if (kind === 'table') return 'final'
      // A record that nothing matches goes on alone at once when it is behind stream time, whatever may still come.
      return onStreams && node.op === 'join' && !isFinal && isAround(node) ? 'set' : 'nothing'
    case 'process':
      return node.fn === 'deduplicate' && first === 'all' && !isRekeyed ? 'all' : 'nothing'
    default:
      return 'nothing'
  }
}
