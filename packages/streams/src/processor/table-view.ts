import { InvariantError } from '@millrace/log'
import type { TableJoinNode } from '../graph/join-node.ts'
import type { Node, StoreDefinition, WindowedAggregateNode } from '../graph/node.ts'
import type { RecordOrigin } from '../graph/record.ts'
import type { TableFilterNode, TableMapValuesNode } from '../graph/table-node.ts'
import type { TableTransformValuesNode } from '../graph/transform-node.ts'
import { Windowed } from '../serde/windowed.ts'
import type { Timestamped } from '../state/store.ts'
import { ProcessingError } from './errors.ts'
import type { RowBefore } from './pending-updates.ts'
import type { ProcessorContext } from './task-context.ts'
import type { TableTransformer } from './transformers.ts'
import type { UnsentUpdates } from './unsent-updates.ts'
import { VersionedRows } from './versioned-rows.ts'

/** Rows of a table as another node reads them: from its store, or computed from the tables above. */
export interface TableView {
  readonly versioned: boolean
  /**
   * The row of a key, as of now.
   * @param origin of the record it is read for, for the error of a function that computes it.
   */
  get(key: unknown, origin: RecordOrigin): Timestamped<unknown> | undefined
  /**
   * The row as it was at a time in milliseconds. Where no versions are kept, the same as `get`, but for a row whose time to live is over and whose
   * deletion is still to be sent: it is not there.
   */
  asOf(key: unknown, origin: RecordOrigin, timestamp: number): Timestamped<unknown> | undefined
}

/** What is needed to compute rows. */
export interface ComputingContext extends ProcessorContext {
  /** The transformer of a node. */
  readonly transformers: (node: TableTransformValuesNode) => TableTransformer
}

/** What nodes that read tables are compiled with. */
export interface ViewingContext extends ComputingContext {
  /** The table that a node makes. */
  readonly views: (node: string) => TableView
  /** The same as those below were told: without the updates that are held back until the commit. */
  readonly sentViews: (node: string) => TableView
}

/** Finds the views of a topology's tables. @param unsent for rows as those below were told of them; absent: as they are. */
export function tableViews(
  nodes: readonly Node[],
  context: ComputingContext,
  unsent?: UnsentUpdates
): (node: string) => TableView {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const viewOf = (name: string): TableView => {
    const node = byName.get(name)
    if (node === undefined) throw new InvariantError(`no node ${name} to read`)
    switch (node.kind) {
      case 'table':
      case 'table-filter':
      case 'table-map-values':
      case 'table-transform-values':
      case 'table-join':
      case 'table-aggregate':
      case 'aggregate':
        return node.store === undefined
          ? computed(node, viewOf, context)
          : asSent({ ...node, store: node.store }, stored({ ...node, store: node.store }, context), unsent)
      case 'windowed-aggregate':
        return node.store.kind === 'session'
          ? sessions(node.store, context)
          : asSent(node, windows(node, context), unsent)
      case 'suppress':
        return heldBack(node.store, viewOf(node.parents[0]), context)
      default:
        if (node.parents.length !== 1) throw new InvariantError(`node ${name} makes no table that can be read`)
        return viewOf(node.parents[0])
    }
  }
  return viewOf
}

function stored(node: Node & { readonly store: StoreDefinition }, context: ProcessorContext): TableView {
  const store = context.stores.keyValue(node.store.name)
  const historyMs = 'historyMs' in node ? node.historyMs : undefined
  const ttlMs = node.kind === 'table' || node.kind === 'aggregate' ? node.ttlMs : undefined
  if (ttlMs !== undefined) {
    const live = (row: Timestamped<unknown> | undefined) =>
      row !== undefined && row.timestamp > context.streamTimeMs() - ttlMs ? row : undefined
    return { versioned: false, get: (key) => store.get(key), asOf: (key) => live(store.get(key)) }
  }
  if (historyMs === undefined) return latestOnly((key) => store.get(key))
  const rows = new VersionedRows(store, context.operatorTime(node.name), historyMs)
  return {
    versioned: true,
    get: (key) => rows.asOf(key, Number.POSITIVE_INFINITY),
    asOf: (key, _origin, timestamp) => rows.asOf(key, timestamp)
  }
}

/**
 * Windows past the retention, counted back from the newest one's start, are gone; when the store gives them up does not count. Those with final
 * results stay a millisecond longer, as in Kafka Streams.
 */
function windows({ store: definition, emit }: WindowedAggregateNode, context: ProcessorContext): TableView {
  const { name, retentionMs = Number.POSITIVE_INFINITY } = definition
  const store = context.stores.window(name)
  const keptMs = emit === 'final' ? retentionMs + 1 : retentionMs
  return latestOnly((key) =>
    key instanceof Windowed && key.startMs > store.newestStartMs - keptMs ? store.get(key.key, key.startMs) : undefined
  )
}

/** The same by the ends of sessions. */
function sessions(
  { name, retentionMs = Number.POSITIVE_INFINITY }: StoreDefinition,
  context: ProcessorContext
): TableView {
  const store = context.stores.session(name)
  return latestOnly((key) =>
    key instanceof Windowed && key.endMs > store.newestEndMs - retentionMs ? store.get(key.key, key) : undefined
  )
}

/** What those below know of a row whose update waits for the commit. Versions are sent as they come, or said to be old. */
function asSent(
  node: Node & { readonly store: StoreDefinition },
  view: TableView,
  unsent: UnsentUpdates | undefined
): TableView {
  if (unsent === undefined || view.versioned) return view
  const before = unsent.of(node)
  return latestOnly((key, origin) => known(before(key), () => view.get(key, origin)))
}

/** When a row was given that is another one now is not known any more. */
function known(
  before: RowBefore | undefined,
  now: () => Timestamped<unknown> | undefined
): Timestamped<unknown> | undefined {
  if (before === undefined) return now()
  return before.value === undefined ? undefined : { value: before.value, timestamp: -1 }
}

/** What those below know of a row: while an update is held back, what it was before. */
function heldBack(definition: StoreDefinition, above: TableView, context: ProcessorContext): TableView {
  const store = context.stores.held(definition.name)
  return latestOnly((key, origin) => {
    const held = store.get(key)
    return known(held && { value: held.value.oldValue }, () => above.get(key, origin))
  })
}

function latestOnly(read: (key: unknown, origin: RecordOrigin) => Timestamped<unknown> | undefined): TableView {
  return { versioned: false, get: read, asOf: read }
}

function computed(node: Node, viewOf: (name: string) => TableView, context: ComputingContext): TableView {
  const [first, second] = node.parents
  switch (node.kind) {
    case 'table-filter':
    case 'table-map-values':
      return mapped(viewOf(first), node)
    case 'table-transform-values':
      return transformed(viewOf(first), context.transformers(node))
    case 'table-join':
      return joined(node, viewOf(first), viewOf(second))
    default:
      throw new InvariantError(`table ${node.name} is read and was not kept`)
  }
}

/** Rows that follow one by one from another table's. */
function mapped(above: TableView, node: TableFilterNode | TableMapValuesNode): TableView {
  const below = (key: unknown, origin: RecordOrigin, row: Timestamped<unknown> | undefined) => {
    if (row === undefined) return undefined
    const value = guarded(node.name, origin, () =>
      node.kind === 'table-map-values'
        ? node.fn(row.value, { key })
        : Boolean(node.fn(row.value, { key })) === node.not
          ? undefined
          : row.value
    )
    return value === undefined || value === null ? undefined : { value, timestamp: row.timestamp }
  }
  return {
    versioned: above.versioned,
    get: (key, origin) => below(key, origin, above.get(key, origin)),
    asOf: (key, origin, timestamp) => below(key, origin, above.asOf(key, origin, timestamp))
  }
}

/** The transformer is asked for every row that is read, also where there is none above. */
function transformed(above: TableView, transformer: TableTransformer): TableView {
  const below = (key: unknown, origin: RecordOrigin, row: Timestamped<unknown> | undefined) => {
    const timestamp = row?.timestamp ?? -1
    const value = transformer.transform(row?.value, { key, timestamp }, origin)
    return value === undefined ? undefined : { value, timestamp }
  }
  return {
    versioned: above.versioned,
    get: (key, origin) => below(key, origin, above.get(key, origin)),
    asOf: (key, origin, timestamp) => below(key, origin, above.asOf(key, origin, timestamp))
  }
}

function joined(node: TableJoinNode, left: TableView, right: TableView): TableView {
  return latestOnly((key, origin) => {
    const [leftRow, rightRow] = [left.get(key, origin), right.get(key, origin)]
    if (leftRow === undefined && (rightRow === undefined || node.join !== 'outer')) return undefined
    if (rightRow === undefined && node.join === 'inner') return undefined
    const value = guarded(node.name, origin, () => node.fn(leftRow?.value ?? null, rightRow?.value ?? null, { key }))
    if (value === undefined || value === null) return undefined
    return { value, timestamp: Math.max(leftRow?.timestamp ?? -1, rightRow?.timestamp ?? -1) }
  })
}

function guarded<T>(node: string, origin: RecordOrigin, compute: () => T): T {
  try {
    return compute()
  } catch (cause) {
    throw new ProcessingError(node, origin, cause)
  }
}
