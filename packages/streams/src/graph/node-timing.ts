import type { EmitMode, Node } from './node.ts'

/** What a node of a description does with time. */
export interface NodeTiming {
  /** When its results go on; null of a step that hands each on at once. */
  readonly emit: EmitMode | null
  /** How long after its window, or after a record, it still takes or waits for others; null where there is no such thing. */
  readonly graceMs: number | null
  /** After how long without a record, by the wall clock, its windows are closed; null: never. */
  readonly idleMs: number | null
  /** How long its rows live in stream time; null: for ever. */
  readonly ttlMs: number | null
}

const NOTHING: NodeTiming = { emit: null, graceMs: null, idleMs: null, ttlMs: null }

/** What a node does with time, as numbers. */
export function timingOf(node: Node): NodeTiming {
  switch (node.kind) {
    case 'aggregate':
      return { ...NOTHING, emit: node.emit, ttlMs: node.ttlMs ?? null }
    case 'windowed-aggregate': {
      const graceMs = node.window.kind === 'unlimited' ? null : node.window.graceMs
      return { ...NOTHING, emit: node.emit, graceMs, idleMs: node.idleMs ?? null }
    }
    case 'suppress':
      return { ...NOTHING, idleMs: node.until.kind === 'window-close' ? (node.until.idleMs ?? null) : null }
    case 'stream-join':
      return { ...NOTHING, graceMs: node.within.graceMs }
    case 'stream-table-join':
      return { ...NOTHING, graceMs: node.grace?.graceMs ?? null }
    case 'table':
      return { ...NOTHING, emit: node.store === undefined ? null : node.emit, ttlMs: node.ttlMs ?? null }
    case 'table-filter':
    case 'table-map-values':
    case 'table-transform-values':
    case 'table-join':
    case 'table-aggregate':
      return { ...NOTHING, emit: node.store === undefined ? null : node.emit }
    default:
      return NOTHING
  }
}
