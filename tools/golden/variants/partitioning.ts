import type { GoldenCase, GoldenNode, GoldenWindow } from '../case.ts'
import { feedDriver, openDriver } from '../run-case.ts'
import { comparedFacts, factsOf, type ReadNode } from './case-graph.ts'

/** What becomes of a result when the keys are spread over partitions: undefined as long as it stays the same, else why not. */
interface Spread {
  readonly lost: string | undefined
  /** Whether records have another key than the one by which they are in their partition. */
  readonly rekeyed: boolean
}

const OWN_TIME = 'each partition has a time of its own, and the time decides what goes on'
const LATE = 'the input has late records, and each partition has a time of its own'
const STATE = 'state by key sees a stream that is not partitioned by it'

/** How a case's input is out of order. */
interface Disorder {
  /** By how much a record's time is behind that of an earlier one, at most. */
  readonly mostMs: number
  /** Whether, in one partition, a record came too late for a window or a versioned table: in one of several it might not. */
  readonly drops: boolean
}

/** Why a case's result depends on its partitions; undefined when it does not. Its operators, functions and the disorder of its input decide. */
export async function dependsOnPartitioning(golden: GoldenCase): Promise<string | undefined> {
  const disorder = { mostMs: disorderMs(golden), drops: await dropsLateRecords(golden) }
  const facts = factsOf<Spread>(golden, (read) => spreadBy(read, disorder))
  return comparedFacts(golden, facts)
    .flat()
    .find(({ lost }) => lost !== undefined)?.lost
}

function spreadBy({ node, kind, inputs }: ReadNode<Spread>, disorder: Disorder): Spread {
  const { op } = node
  const before = inputs.map(({ fact }) => fact.lost).find((lost) => lost !== undefined)
  const isRekeyed = inputs.some(({ fact }) => fact.rekeyed)
  const rekeys = ['map', 'selectKey', 'flatMap'].includes(op) || (op === 'toStream' && inputs[0]?.kind === 'table')
  // Whatever needs a key goes through a topic of its own first, but for processors.
  const rekeyed = kind === 'stream' && op !== 'repartition' && (isRekeyed || rekeys)
  return { lost: before ?? lossAt(node, { disorder, isRekeyed, inputs: inputs.map((input) => input.kind) }), rekeyed }
}

interface At {
  readonly disorder: Disorder
  readonly isRekeyed: boolean
  readonly inputs: readonly string[]
}

function lossAt(node: GoldenNode, { disorder, isRekeyed, inputs }: At): string | undefined {
  if (node.historyMs !== undefined && disorder.drops) return LATE
  switch (node.op) {
    case 'suppress':
      return OWN_TIME
    case 'windowedBy':
      if (node.emit === 'final') return OWN_TIME
      return disorder.drops || (node.window !== undefined && mayForget(node.window, disorder)) ? LATE : undefined
    case 'process':
      if (node.fn === 'countsEachStreamTime') return OWN_TIME
      return isRekeyed ? STATE : undefined
    case 'transformValues':
      return node.fn === 'ticks' ? OWN_TIME : undefined
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      if (node.graceMs !== undefined) return OWN_TIME
      if (inputs[1] !== 'stream') return undefined
      if (node.op !== 'join') return OWN_TIME
      return disorder.mostMs > (node.within?.graceMs ?? 0) ? LATE : undefined
    default:
      return undefined
  }
}

/** Whether a late record may be in time and yet not find what Kafka Streams keeps so short (decision 0013). */
function mayForget({ type, graceMs }: GoldenWindow, { mostMs }: Disorder): boolean {
  return (type === 'session' || type === 'sliding') && mostMs > graceMs
}

function disorderMs({ input }: GoldenCase): number {
  let [latestMs, mostMs] = [0, 0]
  for (const one of input) {
    if ('wallClockMs' in one) continue
    latestMs = Math.max(latestMs, one[3])
    mostMs = Math.max(mostMs, latestMs - one[3])
  }
  return mostMs
}

async function dropsLateRecords(golden: GoldenCase): Promise<boolean> {
  const driver = await openDriver(golden)
  try {
    for (const input of golden.input) await feedDriver(driver, input)
    return driver.dropped('late') > 0
  } finally {
    await driver.close()
  }
}
