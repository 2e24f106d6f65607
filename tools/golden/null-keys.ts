import type { GoldenNode } from './case.ts'

/** Steps that read a stream through an internal topic of their own, so that null keys end there. */
const ENDS = new Set(['repartition', 'groupBy', 'groupByKey', 'toTable', 'to'])

/** Whether a left or outer join of a stream reads the node, at once or by way of steps on the same topic: those take null keys (KIP-962). */
export function isReadByRelaxedJoin({ id }: GoldenNode, nodes: readonly GoldenNode[]): boolean {
  return nodes.some((node) => {
    if (!inputsOf(node).some((input) => input === id)) return false
    if (node.op === 'leftJoin' || node.op === 'outerJoin') return true
    if (ENDS.has(node.op)) return false
    const results = [node, ...(node.branches ?? []), ...(node.default === undefined ? [] : [{ id: node.default }])]
    return results.some((result) => isReadByRelaxedJoin({ op: node.op, id: result.id ?? '' }, nodes))
  })
}

function inputsOf({ from = [], left, right }: GoldenNode): readonly (string | undefined)[] {
  return [...(typeof from === 'string' ? [from] : from), left, right]
}
