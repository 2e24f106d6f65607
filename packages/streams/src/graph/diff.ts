import type { SubtopologyDescription, TopologyDescription } from './describe.ts'
import type { RepartitionDescription, StoreDescription } from './inventory.ts'

/** What becomes of a store or an internal topic when one topology takes the place of another. */
export interface DurableChange {
  readonly what: 'store' | 'repartition topic'
  readonly name: string
  /** The topic on the log: a store's changelog, or the repartition topic; null for a store without a changelog, which lasts on its machine only. */
  readonly topic: string | null
  /**
   * `survives`: its content goes on. `new`: begins empty. `orphaned`: stays behind, unread; delete it when it is not wanted. `reset`: its bytes
   * mean something else now, so the application must be reset before the new topology runs.
   */
  readonly outcome: 'survives' | 'new' | 'orphaned' | 'reset'
  /** Why, and what else to know. */
  readonly reasons: readonly string[]
}

/** What an edit of a topology does to what is there. */
export interface TopologyDiff {
  readonly from: string
  readonly to: string
  readonly changes: readonly DurableChange[]
  /** Topics of others that are read for the first time, or no longer. */
  readonly sources: { readonly added: readonly string[]; readonly removed: readonly string[] }
  /** Whether the new topology can run on what the old one left only after a reset. */
  readonly mustReset: boolean
}

/** Compares descriptions by what the log and the disk know: full names of topics, kinds, serdes, windows. Nodes without state may change at will. */
export function diffTopologies(before: TopologyDescription, after: TopologyDescription): TopologyDiff {
  const changes = [
    ...compare<DurableStore>(storesOf(before), storesOf(after), {
      what: 'store',
      breaks: storeBreaks,
      notes: storeNotes
    }),
    ...compare<DurableTopic>(topicsOf(before), topicsOf(after), {
      what: 'repartition topic',
      breaks: serdeBreaks,
      notes: topicNotes
    })
  ]
  const [old, now] = [sourcesOf(before), sourcesOf(after)]
  return {
    from: before.name,
    to: after.name,
    changes,
    sources: {
      added: [...now].filter((topic) => !old.has(topic)),
      removed: [...old].filter((topic) => !now.has(topic))
    },
    mustReset: changes.some(({ outcome }) => outcome === 'reset')
  }
}

/** The comparison as text, a line a store and topic. */
export function formatDiff({ from, to, changes, sources, mustReset }: TopologyDiff): string {
  const lines = [from === to ? to : `${from} -> ${to}: another application; nothing of the first is read by the second`]
  for (const { what, name, outcome, reasons } of changes) {
    lines.push(`  ${outcome.padEnd(8)} ${what} ${name}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`)
  }
  for (const topic of sources.added) lines.push(`  reads    ${topic} from its start, or as its source says`)
  for (const topic of sources.removed) lines.push(`  reads    ${topic} no longer`)
  lines.push(mustReset ? 'the application must be reset first' : 'no reset is needed')
  return `${lines.join('\n')}\n`
}

interface Durable {
  readonly name: string
  readonly topic: string | null
  /** The same, for what is the same. */
  readonly id: string
  readonly derivedName: boolean
}

interface Comparison<T> {
  readonly what: DurableChange['what']
  /** Why the new one cannot read what the old one left. */
  breaks(before: T, after: T): string[]
  /** What is different and does no harm. */
  notes(before: T, after: T): string[]
}

function compare<T extends Durable>(
  before: readonly T[],
  after: readonly T[],
  { what, breaks, notes }: Comparison<T>
): DurableChange[] {
  const old = new Map(before.map((one) => [one.id, one]))
  const now = new Map(after.map((one) => [one.id, one]))
  const gone = before.filter(({ id }) => !now.has(id))
  const came = after.filter(({ id }) => !old.has(id))
  const changed = (one: T, outcome: DurableChange['outcome'], reasons: readonly string[]): DurableChange => {
    const { name, topic } = one
    return { what, name, topic, outcome, reasons }
  }
  return [
    ...after.map((one) => {
      const known = old.get(one.id)
      if (known === undefined) return changed(one, 'new', renamedFrom(one, gone, breaks))
      if (known.topic === null && one.topic !== null)
        return changed(one, 'new', ['it had no changelog until now: what it holds on its machine is given up'])
      const problems = breaks(known, one)
      return problems.length > 0 ? changed(one, 'reset', problems) : changed(one, 'survives', notes(known, one))
    }),
    ...gone.map((one) => changed(one, 'orphaned', renamedTo(one, came, breaks)))
  ]
}

function renamedFrom<T extends Durable>(one: T, gone: readonly T[], breaks: Comparison<T>['breaks']): string[] {
  const [only, another] = gone.filter((candidate) => breaks(candidate, one).length === 0)
  return only === undefined || another !== undefined ? [] : [`may be '${only.name}' under another name`]
}

function renamedTo<T extends Durable>(one: T, came: readonly T[], breaks: Comparison<T>['breaks']): string[] {
  const [only, another] = came.filter((candidate) => breaks(one, candidate).length === 0)
  if (only === undefined || another !== undefined) return []
  return [
    `may be what is '${only.name}' now${one.derivedName ? `: its name was worked out; give it the name '${one.name}' to keep it` : ''}`
  ]
}

type DurableStore = StoreDescription & Durable
type DurableTopic = RepartitionDescription & Durable

/** Nothing lasts of what is only in memory. */
function storesOf({ name: application, stores }: TopologyDescription): DurableStore[] {
  const lasting = stores.filter(({ changelog, engine }) => changelog !== null || engine !== 'memory')
  return lasting.map((store) => ({ ...store, topic: store.changelog, id: `${application}-${store.name}` }))
}

function topicsOf({ repartitions }: TopologyDescription): DurableTopic[] {
  return repartitions.map((repartition) => ({ ...repartition, id: repartition.topic }))
}

function storeBreaks(before: StoreDescription, after: StoreDescription): string[] {
  return [
    ...differing('kind', before.kind, after.kind),
    ...serdeBreaks(before, after),
    ...differing('window size in ms', before.windowSizeMs, after.windowSizeMs),
    ...differing('time of an index entry in ms', before.indexBucketMs, after.indexBucketMs),
    ...differing('versions', before.historyMs === null ? 'none' : 'kept', after.historyMs === null ? 'none' : 'kept'),
    ...differing('steps that keep it', useOf(before), useOf(after))
  ]
}

/** What the steps do with the store: which side of a join must be there, and how many processors share it, is nothing to its bytes. */
function useOf({ keptBy }: StoreDescription): string {
  const uses = keptBy.map((verb) => verb.replace(/^(left|outer)Join$/, 'join').replace(/^processValues$/, 'process'))
  return [...new Set(uses)].sort().join(', ')
}

function storeNotes(before: StoreDescription, after: StoreDescription): string[] {
  return [
    ...differing('retention in ms', before.retentionMs, after.retentionMs).map(
      (text) => `${text}; the changelog's retention.ms stays as it is`
    ),
    ...differing('time of versions in ms', before.historyMs, after.historyMs),
    ...(before.changelog !== null && after.changelog === null
      ? [`it has no changelog any more: '${before.changelog}' stays behind, and machines without the store begin empty`]
      : []),
    ...differing('changelog configurations', configsText(before), configsText(after)).map(
      (text) => `${text}; a topic that is there stays as it is`
    )
  ]
}

function configsText({ changelogConfigs = {} }: Partial<StoreDescription>): string | null {
  const configs = Object.entries(changelogConfigs)
  return configs.length === 0 ? null : configs.map(([key, value]) => `${key}=${value}`).join(', ')
}

function serdeBreaks(before: { key: string; value: string }, after: { key: string; value: string }): string[] {
  return [
    ...differing('serde of keys', before.key, after.key),
    ...differing('serde of values', before.value, after.value)
  ]
}

function topicNotes(before: RepartitionDescription, after: RepartitionDescription): string[] {
  return differing('partitions', before.partitions, after.partitions).map(
    (text) => `${text}; a topic that has another number already is rejected at the start`
  )
}

function differing(what: string, before: string | number | null, after: string | number | null): string[] {
  return before === after ? [] : [`${what}: ${before ?? 'none'} -> ${after ?? 'none'}`]
}

function sourcesOf({ subtopologies, repartitions, globalTables }: TopologyDescription): Set<string> {
  const internal = new Set(repartitions.map(({ name }) => name))
  const read = subtopologies.flatMap((part: SubtopologyDescription) => part.nodes.flatMap(({ reads }) => reads))
  return new Set([...read, ...globalTables.map(({ topic }) => topic)].filter((topic) => !internal.has(topic)))
}
