import { drawTopology, type Shape } from './drawing.ts'
import type { Topology } from './topology.ts'

const looks: Readonly<Record<Shape['kind'], string>> = {
  step: 'shape=box',
  store: 'shape=cylinder',
  topic: 'shape=cds',
  'internal-topic': 'shape=cds, style=dashed'
}

/** The topology in Graphviz' DOT: sub-topologies as clusters, steps as boxes, stores as cylinders, topics as tags (dashed when internal). */
export function toDot(topology: Topology): string {
  const { name, clusters, shapes, arrows } = drawTopology(topology)
  const lines = [`digraph ${quoted([name])} {`, '  node [fontname="sans-serif", fontsize=11]']
  for (const cluster of clusters) {
    lines.push(`  subgraph cluster_${cluster.id} {`, `    label=${quoted([cluster.label])}`)
    for (const shape of cluster.shapes) lines.push(`    ${shapeText(shape)}`)
    lines.push('  }')
  }
  for (const shape of shapes) lines.push(`  ${shapeText(shape)}`)
  for (const { from, to, kind } of arrows) {
    lines.push(`  ${from} -> ${to}${kind === 'uses' ? ' [style=dotted, arrowhead=none]' : ''}`)
  }
  lines.push('}')
  return `${lines.join('\n')}\n`
}

function shapeText({ id, kind, lines }: Shape): string {
  return `${id} [label=${quoted(lines)}, ${looks[kind]}]`
}

function quoted(lines: readonly string[]): string {
  return `"${lines.map((line) => line.replace(/["\\]/g, '\\$&')).join('\\n')}"`
}
