import type { Node } from 'oxc-parser'

/** Any node of the syntax tree. */
export type SyntaxNode = Node & { readonly start: number; readonly end: number }

/** Calls `visit` for a node and all below it, parents first. */
export function walk(node: unknown, visit: (node: SyntaxNode, parents: readonly SyntaxNode[]) => void): void {
  descend(node, visit, [])
}

function descend(
  node: unknown,
  visit: (node: SyntaxNode, parents: readonly SyntaxNode[]) => void,
  parents: readonly SyntaxNode[]
): void {
  if (Array.isArray(node)) {
    for (const child of node) descend(child, visit, parents)
    return
  }
  if (!isNode(node)) return
  visit(node, parents)
  const below = [...parents, node]
  for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) descend(value, visit, below)
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
