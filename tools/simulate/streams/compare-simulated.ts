import { type SimulatedResult, simulate, TopologyTestDriver } from '@millrace/streams/testing'
import { interpret } from '../../golden/interpret.ts'
import { feedDriver } from '../../golden/run-case.ts'
import { type Commuting, commutingParts, type Settled, withLongGrace } from './commuting.ts'
import type { RandomCase } from './random-case.ts'

const PARTITIONS = 3
const INSTANCES = 3
/** Whether Kafka Streams' one counts depends on which of two instances is ahead. */
const FIRST_OLD_VALUE = 'nothing'

/** How a comparison went: the first difference, if there is one; without a result nothing of the case could be compared. */
export interface SimulatedComparison {
  readonly difference?: string
  readonly result?: Pick<SimulatedResult, 'counts' | 'traceHash'>
}

interface Row {
  readonly key: unknown
  readonly value: unknown
}

/**
 * Runs the case on three simulated instances that share three partitions, with faults, and on the test driver. Of what commutes, and with grace periods
 * that exceed every disorder, the results must be the same in the end.
 */
export async function compareSimulated(given: RandomCase, seed: number): Promise<SimulatedComparison> {
  const roomy = withLongGrace(given)
  const parts = commutingParts(roomy)
  if (parts.topics.size === 0 && parts.stores.length === 0) return {}
  const driver = await TopologyTestDriver.open(
    interpret(roomy.topology, { firstOldValue: FIRST_OLD_VALUE, staleAnswers: 'repeated' })
  )
  try {
    for (const input of roomy.input) await feedDriver(driver, input)
    const topology = interpret(roomy.topology, {
      emit: seed % 2 === 0 ? 'commit' : 'changes',
      firstOldValue: FIRST_OLD_VALUE,
      staleAnswers: 'repeated'
    })
    const result = await simulate(topology, {
      seed,
      instances: INSTANCES,
      partitions: PARTITIONS,
      nowMs: 0,
      input: roomy.input.flatMap((input) =>
        'wallClockMs' in input ? [] : [{ topic: input[0], key: input[1], value: input[2], timestamp: input[3] }]
      )
    })
    const difference = (await compareStores(parts, driver, result)) ?? compareTopics(parts, driver, result)
    if (difference === undefined) return { result }
    return { difference: `${difference}\n${result.trace.join('\n')}`, result }
  } finally {
    await driver.close()
  }
}

function compareTopics(
  { topics, withoutZeros }: Commuting,
  driver: TopologyTestDriver,
  result: SimulatedResult
): string | undefined {
  for (const [topic, settled] of topics) {
    const none = withoutZeros.has(topic) ? ['null', '0', '"0"'] : ['null']
    const wanted = compared(settled, driver.output<unknown, unknown>(topic).readAll(), none)
    const came = compared(settled, result.output(topic), none)
    if (came !== wanted) return differ(`topic ${topic} (${settled})`, came, wanted)
  }
  return undefined
}

async function compareStores(
  { stores, withoutZeros }: Commuting,
  driver: TopologyTestDriver,
  result: SimulatedResult
): Promise<string | undefined> {
  for (const store of stores) {
    const rows = await driver.store<unknown, unknown>(store).all()
    const isThere = ({ value }: Row) => !(withoutZeros.has(store) && String(value) === '0')
    const wanted = rows.filter(isThere).map(({ key, windowStartMs, value }) => row(key, windowStartMs, value))
    const ofStore = result.table(store).filter(isThere)
    const came = ofStore.map(({ key, window, value }) => row(key, window?.startMs ?? 0, value))
    const [ours, theirs] = [came, wanted].map((texts) => texts.sort().join('; '))
    if (ours !== theirs) return differ(`store ${store}`, ours, theirs)
  }
  return undefined
}

function row(key: unknown, startMs: number, value: unknown): string {
  return `${JSON.stringify(key)} ${startMs} ${String(value)}`
}

/** The part of the records that has to be the same, as text. @param none Values of rows that are not there. */
function compared(settled: Settled, records: readonly Row[], none: readonly string[]): string {
  const texts = records.map(({ key, value }) => [JSON.stringify(key), JSON.stringify(value)] as const)
  if (settled === 'set')
    return texts
      .map((pair) => pair.join(' '))
      .sort()
      .join('; ')
  const keys = Map.groupBy(texts, ([key]) => key)
  const rows = [...keys].flatMap(([key, updates]) => {
    const values = updates.map(([, value]) => value)
    if (settled === 'all') return [`${key} ${values.join(', ')}`]
    const last = values.at(-1) ?? 'null'
    return none.includes(last) ? [] : [`${key} ${last}`]
  })
  return rows.sort().join('; ')
}

function differ(what: string, came: string, wanted: string): string {
  return `${what} in the simulation: ${came}\nand on the test driver: ${wanted}`
}
