import { describeTopology, type NodeDescription } from './describe.ts'
import type { Topology } from './topology.ts'

/**
 * The topology as Kafka Streams' `Topology.describe()` writes one, line for line, so that what reads that form (drawing tools, a reader used to it)
 * reads this too. Names are Millrace's.
 */
export function formatLikeKafkaStreams(topology: Topology): string {
  const { subtopologies, globalTables } = describeTopology(topology)
  const lines = ['Topologies:']
  for (const part of subtopologies) {
    lines.push(`   Sub-topology: ${part.id}`)
    for (const node of part.nodes) lines.push(...formatNode(node))
    lines.push('')
  }
  globalTables.forEach(({ topic, store }, index) => {
    const [source, processor] = [`${store.name}-source`, store.name]
    lines.push(
      `   Sub-topology: ${subtopologies.length + index} for global store (will not generate tasks)`,
      `    Source: ${source} (topics: [${topic}])`,
      `      --> ${processor}`,
      `    Processor: ${processor} (stores: [${store.name}])`,
      '      --> none',
      `      <-- ${source}`,
      ''
    )
  })
  return `${lines.join('\n').trimEnd()}\n`
}

function formatNode(node: NodeDescription): string[] {
  const { parents } = node
  // A source has nothing above it, and Kafka Streams says nothing then; a sink has nothing below it.
  const below = isSink(node) ? [] : [`      --> ${listOf(node.children)}`]
  const above = node.does === 'source' ? [] : [`      <-- ${listOf(parents)}`]
  return [`    ${heading(node)}`, ...below, ...above]
}

function heading(node: NodeDescription): string {
  const { name, does, reads, writes, stores } = node
  if (does === 'source') {
    const [first] = reads
    const isPattern = reads.length === 1 && first.startsWith('/')
    return `Source: ${name} (${isPattern ? `topics: ${first}` : `topics: [${reads.join(', ')}]`})`
  }
  if (isSink(node))
    return `Sink: ${name} (${writes.length === 0 ? 'extractor class: a function' : `topic: ${writes[0]}`})`
  return `Processor: ${name} (stores: [${stores.join(', ')}])`
}

function isSink({ does }: NodeDescription): boolean {
  return does === 'sink' || does === 'repartition'
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
