import type { GoldenNode } from './case.ts'

/** A suppress has no bounds if others read its table too: they see the table before what is let go at the commit, in Kafka Streams after it. */
export function withoutSharedBounds(nodes: readonly GoldenNode[]): GoldenNode[] {
  return nodes.map((node) => {
    const { maxRecords, ...rest } = node
    const readers = nodes.filter(({ from, left, right }) => [from, left, right].flat().includes(`${node.from}`))
    return maxRecords !== undefined && readers.length > 1 ? rest : node
  })
}
