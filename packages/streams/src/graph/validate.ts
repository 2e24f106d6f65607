import type { GlobalTableDefinition } from './join-node.ts'
import { lateTopicOf } from './make-late-records.ts'
import { topicNameProblem } from './names.ts'
import type { Node, StoreDefinition } from './node.ts'
import { TopologyError } from './topology-error.ts'

/** What is checked once nodes and stores are made; `feedback` names the sinks that may close a loop. */
export interface Candidate {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly stores: readonly StoreDefinition[]
  readonly globalTables: readonly GlobalTableDefinition[]
  readonly feedback: ReadonlySet<string>
}

/**
 * Refuses what could not run.
 * @throws TopologyError naming the node and the remedy.
 */
export function validate(candidate: Candidate): void {
  checkNames(candidate)
  checkSources(candidate)
  checkLoops(candidate)
  checkChangelogs(candidate)
}

function checkNames({ name: topology, nodes, stores, globalTables }: Candidate): void {
  const check = (what: string, name: string, node?: string) => {
    const problem = topicNameProblem(name)
    if (problem === undefined) return
    throw new TopologyError({
      topology,
      problem: `${what} ${problem}: choose another`,
      ...(node === undefined ? {} : { node })
    })
  }
  check("the topology's name", topology)
  for (const node of nodes) {
    if (node.kind === 'repartition') check('the repartition topic', `${topology}-${node.topic}`, node.name)
    if (node.kind === 'sink') check('the topic', node.topic, node.name)
    const late = lateTopicOf(node)
    if (late !== undefined) check('the topic', late, node.name)
    if (node.kind === 'source' && node.repartitionOf === undefined) {
      for (const topic of node.topics) check('the topic', topic, node.name)
    }
  }
  for (const { topic } of globalTables) check('the topic', topic)
  for (const store of stores) check('the changelog topic', `${topology}-${store.name}-changelog`)
}

function checkSources({ name: topology, nodes, globalTables }: Candidate): void {
  const readBy = new Map<string, string>()
  const sources = nodes.filter((node) => node.kind === 'source')
  if (sources.length === 0)
    throw new TopologyError({ topology, problem: 'it reads nothing: begin with b.stream(topic, …)' })
  for (const { name: node, topics, pattern } of sources) {
    if (topics.length === 0 && pattern === undefined)
      throw new TopologyError({ topology, node, problem: 'it reads no topic: name at least one' })
    for (const topic of topics) {
      if (readBy.has(topic)) {
        throw new TopologyError({
          topology,
          node,
          problem: `topic '${topic}' is read twice: keep one stream and use it twice`
        })
      }
      readBy.set(topic, node)
    }
  }
  for (const { topic, store } of globalTables) {
    if (readBy.has(topic)) {
      const problem = `topic '${topic}' is read as a global table and otherwise: read it in one way`
      throw new TopologyError({ topology, node: store.name, problem })
    }
    readBy.set(topic, store.name)
  }
}

/** A changelog that forgets old records by age or size forgets rows that are still in the store. */
function checkChangelogs({ name: topology, stores }: Candidate): void {
  for (const { name, kind, changelog } of stores) {
    const policy = changelog === false ? undefined : changelog?.['cleanup.policy']
    if (policy === undefined || kind === 'window' || kind === 'session' || policy.trim() === 'compact') continue
    const problem = `the changelog of store '${name}' would have cleanup.policy ${policy} and lose rows that the store has: leave it out, or give the rows a ttl`
    throw new TopologyError({ topology, node: name, problem })
  }
}

/** A node that writes to a topic that has a name. */
interface Writer {
  readonly node: Node
  readonly topic: string
  readonly remedy: string
}

/** A record that comes round to where it was read would go round for ever; a late one is late each time. */
function checkLoops({ name: topology, nodes, feedback }: Candidate): void {
  const writers = nodes.flatMap((node): Writer[] => {
    const late = lateTopicOf(node)
    if (late !== undefined) return [{ node, topic: late, remedy: 'write late records to another topic' }]
    if (node.kind !== 'sink' || feedback.has(node.name)) return []
    const remedy = 'write to another topic, or say { feedback: true } if records may come round again'
    return [{ node, topic: node.topic, remedy }]
  })
  for (const writer of writers) {
    if (!reaches({ nodes, writers }, writer)) continue
    const { node, topic, remedy } = writer
    const problem = `it writes to '${topic}', which it is fed from: ${remedy}`
    throw new TopologyError({ topology, node: node.name, problem })
  }
}

function reaches({ nodes, writers }: { nodes: readonly Node[]; writers: readonly Writer[] }, target: Writer): boolean {
  const reading = (topic: string) => nodes.filter((node) => node.kind === 'source' && node.topics.includes(topic))
  const seen = new Set<string>()
  const queue: Node[] = reading(target.topic)
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (node === target.node) return true
    if (seen.has(node.name)) continue
    seen.add(node.name)
    const from = node
    queue.push(...nodes.filter((other) => other.parents.includes(from.name)))
    if (from.kind === 'repartition')
      queue.push(...nodes.filter((other) => other.kind === 'source' && other.repartitionOf === from.name))
    queue.push(...writers.filter((writer) => writer.node === from).flatMap(({ topic }) => reading(topic)))
  }
  return false
}
