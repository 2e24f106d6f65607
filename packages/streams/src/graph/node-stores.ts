import type { Node, StoreDefinition } from './node.ts'

/** The stores that belong to a node. */
export function storesOf(node: Node): readonly StoreDefinition[] {
  if (node.kind === 'process') return node.stores
  if (node.kind === 'table-transform-values') return node.store ? [...node.stores, node.store] : node.stores
  if (node.kind === 'rx') return node.timers === undefined ? [node.store] : [node.store, node.timers]
  if (node.kind === 'stream-table-join') return node.grace === undefined ? [] : [node.grace.store]
  if (node.kind === 'stream-join') {
    const { left, right, unmatched } = node.stores
    return unmatched === undefined ? [left, right] : [left, right, unmatched]
  }
  return 'store' in node && node.store !== undefined ? [node.store] : []
}
