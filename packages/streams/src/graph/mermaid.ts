import { drawTopology, type Shape } from './drawing.ts'
import type { Topology } from './topology.ts'

/** The topology as a Mermaid flowchart: sub-topologies as boxes, steps as rectangles, stores as cylinders, topics as pipes (dashed when internal). */
export function toMermaid(topology: Topology): string {
  const { clusters, shapes, arrows } = drawTopology(topology)
  const lines = ['flowchart TD']
  for (const cluster of clusters) {
    lines.push(`  subgraph ${cluster.id}[${quoted([cluster.label])}]`)
    for (const shape of cluster.shapes) lines.push(`    ${shapeText(shape)}`)
    lines.push('  end')
  }
  for (const shape of shapes) lines.push(`  ${shapeText(shape)}`)
  for (const { from, to, kind } of arrows) lines.push(`  ${from} ${kind === 'uses' ? '-.-' : '-->'} ${to}`)
  lines.push('  classDef internal stroke-dasharray: 4 3')
  return `${lines.join('\n')}\n`
}

function shapeText({ id, kind, lines }: Shape): string {
  const text = quoted(lines)
  if (kind === 'store') return `${id}[(${text})]`
  if (kind === 'step') return `${id}[${text}]`
  return `${id}([${text}])${kind === 'internal-topic' ? ':::internal' : ''}`
}

/** Mermaid's text in quotes takes HTML entities for what has a meaning in it. */
function quoted(lines: readonly string[]): string {
  const safe = lines.map((line) => line.replace(/[&"<>#`]/g, (character) => `#${character.charCodeAt(0)};`))
  return `"${safe.join('<br/>')}"`
}
