import { formatDuration } from './duration.ts'
import type { Node, StoreDefinition } from './node.ts'
import { storesOf } from './node-stores.ts'
import type { Topology } from './topology.ts'

/** What {@link lintTopology} looks for. */
export type LintRule =
  /** State that nothing ever takes away grows with the number of keys. */
  | 'unbounded-state'
  /** Records out of order by a millisecond are late. */
  | 'zero-grace'
  /** Results of asynchronous work that overtake one another come to windows that take nothing late. */
  | 'overtaken-records'
  /** A join whose input goes through an internal topic, since its key was changed. */
  | 'key-changed-before-join'
  /** One stream goes through several internal topics. */
  | 'repeated-repartition'
  /** So few keys that few partitions, so few tasks, do the work. */
  | 'low-cardinality-key'
  /** A store or an internal topic that an edit of the steps above renames, which loses its content. */
  | 'derived-name'
  /** Sessions whose updates wait for a commit, in a join of tables that is grouped. */
  | 'held-back-sessions'
  /** A store without a changelog: what it holds is lost with its machine. */
  | 'no-changelog'

/** One thing worth a look. */
export interface LintFinding {
  readonly rule: LintRule
  /** `info` is a fact to know, `warning` most likely a mistake or a trap. */
  readonly severity: 'info' | 'warning'
  readonly node: string
  /** What, and what to do about it. */
  readonly message: string
}

/**
 * Looks a topology over for what is legal and often not meant. Says only what follows from the topology itself: nothing of the data. In the order
 * of the nodes.
 */
export function lintTopology(topology: Topology): LintFinding[] {
  const byName = new Map(topology.nodes.map((node) => [node.name, node]))
  const seen = new Set<StoreDefinition>()
  return topology.nodes.flatMap((node) => {
    const stores = storesOf(node).filter((store) => !seen.has(store))
    for (const store of stores) seen.add(store)
    return [
      ...unboundedState(node),
      ...zeroGrace(node),
      ...overtakenRecords(node, byName),
      ...keyChangedBeforeJoin(node, byName),
      ...repeatedRepartition(node, topology.nodes),
      ...lowCardinality(node),
      ...derivedNames(node, stores),
      ...heldBackSessions(node, byName),
      ...noChangelog(node, stores)
    ]
  })
}

function finding(node: Node, rule: LintRule, severity: LintFinding['severity'], message: string): LintFinding {
  return { rule, severity, node: node.name, message }
}

function* unboundedState(node: Node): Generator<LintFinding> {
  for (const store of storesOf(node)) {
    const endless = store.retentionMs === undefined || store.retentionMs === Number.MAX_SAFE_INTEGER
    if (store.key.name === 'boolean' || store.ttlMs !== undefined) continue
    if (node.kind === 'aggregate' || (node.kind === 'windowed-aggregate' && endless)) {
      const advice = 'every key stays for good; window it, give it a ttl, or make sure that the keys are few'
      yield finding(node, 'unbounded-state', 'info', `store '${store.name}' grows with its keys: ${advice}`)
    } else if (node.kind === 'table') {
      const advice =
        'a key goes only when a null value comes for it; make sure that such come, give it a ttl, or see that the keys are few'
      yield finding(node, 'unbounded-state', 'info', `store '${store.name}' grows with its keys: ${advice}`)
    }
  }
}

function* zeroGrace(node: Node): Generator<LintFinding> {
  if (graceOf(node) !== 0) return
  const { window } = node.kind === 'windowed-aggregate' ? node : {}
  // A session takes records for a gap past its end in any case.
  if (window?.kind === 'session') return
  const size = window?.kind === 'time' ? ` of ${formatDuration(window.sizeMs)}` : ''
  const message = `the grace${size === '' ? '' : ` of windows${size}`} is 0: a record is dropped as late as soon as another partition's clock has moved past; give { grace: '…' }, as long as records come out of order`
  yield finding(node, 'zero-grace', 'warning', message)
}

function* overtakenRecords(node: Node, byName: ReadonlyMap<string, Node>): Generator<LintFinding> {
  if (graceOf(node) !== 0 || (node.kind === 'windowed-aggregate' && node.window.kind === 'session')) return
  for (const parent of node.parents) {
    const overtaking = overtakingAbove(parent, byName)
    if (overtaking === undefined) continue
    const advice = "give the windows { grace: '…' }, or order the results by partition"
    yield finding(
      node,
      'overtaken-records',
      'warning',
      `results of '${overtaking}' overtake those of other keys, and what is overtaken is late here: ${advice}`
    )
  }
}

/** An asynchronous step by key that a stream comes from, also through internal topics. */
function overtakingAbove(name: string, byName: ReadonlyMap<string, Node>): string | undefined {
  const node = byName.get(name)
  if (node === undefined) return undefined
  if (node.kind === 'map-async' && node.order === 'key') return node.name
  const above = node.kind === 'source' && node.repartitionOf !== undefined ? [node.repartitionOf] : node.parents
  for (const parent of above) {
    const found = overtakingAbove(parent, byName)
    if (found !== undefined) return found
  }
  return undefined
}

function graceOf(node: Node): number | undefined {
  if (node.kind === 'windowed-aggregate') return node.window.kind === 'unlimited' ? undefined : node.window.graceMs
  if (node.kind === 'stream-join') return node.within.graceMs
  return undefined
}

const joins: ReadonlySet<Node['kind']> = new Set(['stream-join', 'stream-table-join', 'table-join'])

function* keyChangedBeforeJoin(node: Node, byName: ReadonlyMap<string, Node>): Generator<LintFinding> {
  if (!joins.has(node.kind)) return
  for (const parent of node.parents) {
    const topic = automaticRepartitionAbove(parent, byName)
    if (topic === undefined) continue
    const advice = 'each record is written and read once more; key the input topic so that it needs no change'
    yield finding(node, 'key-changed-before-join', 'info', `an input is joined through the topic '${topic}': ${advice}`)
  }
}

/** The internal topic that a stream comes out of, when only steps without state are between. */
function automaticRepartitionAbove(name: string, byName: ReadonlyMap<string, Node>): string | undefined {
  const node = byName.get(name)
  if (node === undefined || storesOf(node).length > 0) return undefined
  if (node.kind !== 'source') {
    for (const parent of node.parents) {
      const found = automaticRepartitionAbove(parent, byName)
      if (found !== undefined) return found
    }
    return undefined
  }
  const repartition = byName.get(node.repartitionOf ?? '')
  return repartition?.kind === 'repartition' && !repartition.explicit ? repartition.topic : undefined
}

function* repeatedRepartition(node: Node, nodes: readonly Node[]): Generator<LintFinding> {
  const topics = nodes.filter(
    (child) => child.kind === 'repartition' && !child.explicit && child.parents.includes(node.name)
  )
  if (topics.length < 2) return
  const names = topics.map(({ name }) => `'${name}'`).join(', ')
  const advice = 'group it once, or call repartition() once and branch from there'
  yield finding(node, 'repeated-repartition', 'warning', `its records are written to ${names}: ${advice}`)
}

function* lowCardinality(node: Node): Generator<LintFinding> {
  const advice = 'all its records are one key, so one partition and one task do the work; take a key with many values'
  if (node.kind === 'stateless' && node.operator.kind === 'selectKey' && isConstant(node.operator.fn)) {
    yield finding(node, 'low-cardinality-key', 'warning', `the key does not depend on the record: ${advice}`)
  }
  if (node.kind === 'repartition' && node.key.name === 'boolean') {
    const two = 'the key is true or false: two partitions at most get any records; take a key with more values'
    yield finding(node, 'low-cardinality-key', 'warning', two)
  }
}

/** A function without a parameter cannot look at the record; one with `...rest` or `arguments` says so in its text. */
function isConstant(fn: (...given: never[]) => unknown): boolean {
  return (
    fn.length === 0 &&
    /^(async\s+)?(\(\s*\)|function\b[^(]*\(\s*\))/.test(String(fn)) &&
    !/\barguments\b/.test(String(fn))
  )
}

function* derivedNames(node: Node, stores: readonly StoreDefinition[]): Generator<LintFinding> {
  for (const { name, derivedName } of stores) {
    if (derivedName !== true) continue
    const advice = "an edit of the steps above renames it, and what it holds stays behind; name it: { store: '…' }"
    const remedy =
      node.kind === 'stream-join' || node.kind === 'foreign-key-answer' ? advice.replace('store:', 'name:') : advice
    yield finding(node, 'derived-name', 'warning', `the name of store '${name}' is worked out: ${remedy}`)
  }
  if (node.kind === 'repartition' && node.derivedName === true) {
    const advice = "an edit of the steps above renames it, and records on their way stay behind; name it: { name: '…' }"
    yield finding(
      node,
      'derived-name',
      'warning',
      `the name of internal topic '${node.topic}' is worked out: ${advice}`
    )
  }
}

/** A session that grows before its update goes on is another row by then: the join cannot say any more what it was, and the grouping keeps both. */
function* heldBackSessions(node: Node, byName: ReadonlyMap<string, Node>): Generator<LintFinding> {
  if (node.kind !== 'table-group') return
  for (const { join, sessions } of joinedSessionsAbove(node, byName)) {
    const advice = "a session that grows in between may be counted twice; give the sessions { emit: 'changes' }"
    const joined = `updates of the sessions '${sessions}' wait for a commit, are joined in '${join}' and grouped here`
    yield finding(node, 'held-back-sessions', 'warning', `${joined}: ${advice}`)
  }
}

/** Sessions that emit at commits and come, as a table and through a join, to this node. */
function joinedSessionsAbove(
  { parents }: Node,
  byName: ReadonlyMap<string, Node>,
  join?: string
): { readonly join: string; readonly sessions: string }[] {
  return parents.flatMap((name) => {
    const node = byName.get(name)
    if (node?.kind === 'windowed-aggregate') {
      const holds = node.window.kind === 'session' && node.emit === 'commit' && join !== undefined
      return holds ? [{ join, sessions: node.name }] : []
    }
    // Only tables lead from sessions to a grouping of their rows.
    if (node === undefined || !('sendsOld' in node)) return []
    return joinedSessionsAbove(node, byName, join ?? (node.kind === 'table-join' ? node.name : undefined))
  })
}

/** When a store without a changelog has nothing in it. */
export function whenEmpty({ engine }: Pick<StoreDefinition, 'engine'>): string {
  return engine === 'memory' ? 'whenever its task starts' : 'wherever its task was not before'
}

function* noChangelog(node: Node, stores: readonly StoreDefinition[]): Generator<LintFinding> {
  for (const store of stores) {
    const { name, changelog } = store
    if (changelog !== false) continue
    const advice = 'results that are made of it are not exact then; leave out { changelog: false } where that matters'
    yield finding(
      node,
      'no-changelog',
      'warning',
      `store '${name}' has no changelog and begins empty ${whenEmpty(store)}: ${advice}`
    )
  }
}
