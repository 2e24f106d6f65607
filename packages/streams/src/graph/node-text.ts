import { formatDuration } from './duration.ts'
import type { MapAsyncNode } from './map-async-node.ts'
import type { EmitMode, Node, StatelessOperator, StoreDefinition, WindowDefinition } from './node.ts'
import type { SuppressUntil } from './suppress-node.ts'

/** What a node does, in a word, and what it does it with. */
export interface NodeText {
  readonly does: string
  readonly detail: string
}

/** What a node does, for a description. */
export function whatItDoes(node: Node): NodeText {
  switch (node.kind) {
    case 'source':
      return {
        does: 'source',
        detail: `${node.pattern ?? node.topics.join(', ')} (${node.key.name}, ${node.value.name})`
      }
    case 'sink':
    case 'repartition':
      return { does: node.kind, detail: `${node.topic} (${node.key.name}, ${node.value.name})` }
    case 'stateless':
      return { does: verbOf(node.operator), detail: '' }
    case 'map-async':
      return { does: 'mapAsync', detail: formatAsync(node) }
    case 'routed-sink':
      return { does: 'sink', detail: `by function (${node.key.name}, ${node.value.name})` }
    case 'split':
      return { does: 'split', detail: '' }
    case 'branch':
      return { does: 'branch', detail: node.branch }
    case 'process':
      return { does: node.verb, detail: storeNames(node.stores) }
    case 'combine':
      return { does: 'combine', detail: `${node.aggregation.kind} of ${node.salts} salts, until the commit` }
    case 'rx':
      return { does: node.operator.verb, detail: `in ${node.store.name}` }
    case 'merge':
      return { does: 'merge', detail: '' }
    case 'table':
      return { does: 'table', detail: `${storeDetail(node)}${formatTtl(node.ttlMs)}` }
    case 'table-filter':
      return { does: node.not ? 'filterNot' : 'filter', detail: storeDetail(node) }
    case 'table-map-values':
      return { does: 'mapValues', detail: storeDetail(node) }
    case 'table-transform-values': {
      const parts = [storeNames(node.stores), storeDetail(node)].filter((part) => part !== '')
      return { does: 'transformValues', detail: parts.join(', result ') }
    }
    case 'table-group':
      return { does: 'groupBy', detail: '' }
    case 'table-aggregate':
      return { does: node.aggregation.kind, detail: storeDetail(node) }
    case 'table-join':
    case 'stream-table-join':
    case 'stream-global-join':
    case 'stream-join':
    case 'foreign-key-subscribe':
    case 'foreign-key-answer':
    case 'foreign-key-result':
      return joinText(node)
    case 'table-to-stream':
      return { does: 'toStream', detail: '' }
    case 'suppress':
      return { does: 'suppress', detail: `${formatUntil(node.until)} in ${node.store.name}` }
    case 'aggregate':
      return {
        does: node.aggregation.kind,
        detail: `in ${node.store.name}, emits ${node.emit}${formatTtl(node.ttlMs)}`
      }
    case 'windowed-aggregate': {
      const window = formatWindow(node.window)
      const idle = node.idleMs === undefined ? '' : ` or when idle for ${formatDuration(node.idleMs)}`
      return { does: node.aggregation.kind, detail: `${window} in ${node.store.name}, emits ${node.emit}${idle}` }
    }
  }
}

type JoinNode = Extract<
  Node,
  { kind: `${'table' | 'stream-table' | 'stream-global' | 'stream'}-join` | `foreign-key-${string}` }
>

function joinText(node: JoinNode): NodeText {
  switch (node.kind) {
    case 'table-join':
      return { does: joinVerbs[node.join], detail: storeDetail(node) }
    case 'stream-table-join':
      return {
        does: joinVerbs[node.join],
        detail:
          node.grace === undefined ? '' : `grace ${formatDuration(node.grace.graceMs)} in ${node.grace.store.name}`
      }
    case 'stream-global-join':
      return { does: joinVerbs[node.join], detail: `with ${node.global}` }
    case 'stream-join': {
      const { beforeMs, afterMs, graceMs } = node.within
      const [before, after, grace] = [beforeMs, afterMs, graceMs].map(formatDuration)
      return { does: joinVerbs[node.join], detail: `${before} before to ${after} after, grace ${grace}` }
    }
    case 'foreign-key-subscribe':
      return { does: 'foreign-key subscribe', detail: '' }
    case 'foreign-key-answer':
      return { does: 'foreign-key answer', detail: `in ${node.store.name}` }
    case 'foreign-key-result':
      return { does: `foreign-key ${joinVerbs[node.join]}`, detail: '' }
  }
}

function verbOf(operator: StatelessOperator): string {
  if (operator.kind === 'peek') return operator.end ?? 'peek'
  return operator.kind === 'filter' && operator.not ? 'filterNot' : operator.kind
}

const joinVerbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

function storeDetail({ store, emit }: { readonly store?: StoreDefinition; readonly emit: EmitMode }): string {
  return store === undefined ? '' : `in ${store.name}, emits ${emit}`
}

function formatTtl(ttlMs: number | undefined): string {
  return ttlMs === undefined ? '' : `, rows live ${formatDuration(ttlMs)}`
}

function storeNames(stores: readonly StoreDefinition[]): string {
  return stores.length === 0 ? '' : `in ${stores.map(({ name }) => name).join(', ')}`
}

function formatUntil(until: SuppressUntil): string {
  if (until.kind === 'window-close') {
    return `until the window closes${until.idleMs === undefined ? '' : ` or nothing came for ${formatDuration(until.idleMs)}`}`
  }
  const { limitMs, maxRecords, maxBytes, whenFull } = until
  const bounds = [
    ...(maxRecords === undefined ? [] : [`${maxRecords} records`]),
    ...(maxBytes === undefined ? [] : [`${maxBytes} bytes`])
  ]
  const limit = `for ${formatDuration(limitMs)}`
  return bounds.length === 0 ? limit : `${limit}, at most ${bounds.join(' and ')}, else ${whenFull}`
}

function formatAsync({ order, concurrency, timeoutMs, retry }: MapAsyncNode): string {
  const attempts = retry.maxAttempts === 1 ? '' : `, ${retry.maxAttempts} attempts`
  return `by ${order}, at most ${concurrency} at once, timeout ${formatDuration(timeoutMs)}${attempts}`
}

function formatWindow(window: WindowDefinition): string {
  if (window.kind === 'unlimited') return window.startMs === 0 ? 'unlimited' : `unlimited from ${window.startMs}`
  const grace = `grace ${formatDuration(window.graceMs)}`
  if (window.kind === 'sliding') return `sliding ${formatDuration(window.differenceMs)} ${grace}`
  if (window.kind === 'session') return `sessions ${formatDuration(window.gapMs)} ${grace}`
  const { sizeMs, advanceMs } = window
  if (sizeMs === advanceMs) return `tumbling ${formatDuration(sizeMs)} ${grace}`
  return `hopping ${formatDuration(sizeMs)} by ${formatDuration(advanceMs)} ${grace}`
}
