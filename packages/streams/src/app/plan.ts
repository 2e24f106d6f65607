import { type Admin, type Log, type OpenLogOptions, openLog } from '@millrace/log'
import { whenEmpty } from '../graph/lint.ts'
import { hasPatterns, resolvePatterns } from '../graph/resolve-patterns.ts'
import type { Topology } from '../graph/topology.ts'
import { TopologyError } from '../graph/topology-error.ts'
import type { RunOptions } from './app-options.ts'
import { CopartitionError, MissingSourceTopicError } from './errors.ts'
import { externalTopics } from './internal-topics.ts'
import { configsOf, type InternalTopic, planTopics } from './topic-plan.ts'
import { isLog } from './where.ts'

/** What a start would do about one topic. */
export interface PlannedTopic {
  readonly topic: string
  /** `internal` ones belong to the application: repartition topics and changelogs. */
  readonly role: 'source' | 'sink' | 'internal'
  /** `make`: it is not there and would be made. `keep`: it fits. `reject`: the start would fail because of it. */
  readonly action: 'make' | 'keep' | 'reject'
  /** As it is, or as it would be made; null when that is not known. */
  readonly partitions: number | null
  /** Why; for a topic that is kept, what is different and stays as it is. */
  readonly reason: string
}

/** What a start would do. */
export interface StartPlan {
  readonly application: string
  readonly topics: readonly PlannedTopic[]
  /** What else keeps the application from starting: topics without the same number of partitions, a pattern that matches nothing. */
  readonly problems: readonly string[]
  /** What is good to know and keeps nothing from starting: stores without a changelog. */
  readonly notes: readonly string[]
  /** Tasks, when the topics are such that they can be counted. */
  readonly tasks: number | null
  /** Whether a start would succeed, as far as topics go. */
  readonly startable: boolean
}

/** Where to look, and how the start would be configured. */
export type PlanOptions = Pick<RunOptions, 'createTopics' | 'internalTopicConfigs'> & {
  /** A URL, options to open a log with, or an open log, which stays open. */
  readonly log: string | OpenLogOptions | Log
}

/**
 * Which topics a start of the topology would make, keep or reject, and why. Looks only: nothing is made or changed.
 * @throws What opening the log throws.
 */
export async function planStart(topology: Topology, options: PlanOptions): Promise<StartPlan> {
  const log = isLog(options.log) ? options.log : await openLog(options.log)
  const admin = log.admin()
  try {
    const embedded = log.directory !== undefined || log.url === 'memory:'
    const createTopics = options.createTopics ?? (embedded ? {} : false)
    return await new StartPlanner(admin, { ...options, createTopics }).plan(topology)
  } finally {
    await admin.close()
    if (log !== options.log) await log.close()
  }
}

type PlannerOptions = Omit<PlanOptions, 'log' | 'createTopics'> & {
  readonly createTopics: NonNullable<RunOptions['createTopics']>
}

class StartPlanner {
  readonly #admin: Admin
  readonly #options: PlannerOptions

  constructor(admin: Admin, options: PlannerOptions) {
    this.#admin = admin
    this.#options = options
  }

  async plan(unresolved: Topology): Promise<StartPlan> {
    const existing = new Map((await this.#admin.listTopics()).map((topic) => [topic.name, topic.partitions.length]))
    const resolved = resolve(unresolved, existing)
    if (typeof resolved === 'string') return planOf(unresolved, [], { problems: [resolved], tasks: null })
    const external = externalTopics(resolved).map((topic) => this.#external(resolved, topic, existing))
    const partitions = new Map(
      external.flatMap(({ topic, partitions: count }) => (count === null ? [] : [[topic, count]]))
    )
    try {
      const plan = planTopics(resolved, partitions)
      const internal = await Promise.all(plan.internal.map((topic) => this.#internal(topic, existing)))
      const tasks = [...plan.tasks.values()].reduce((sum, count) => sum + count, 0)
      return planOf(resolved, [...external, ...internal], { problems: [], tasks })
    } catch (error) {
      if (error instanceof MissingSourceTopicError) return planOf(resolved, external, { problems: [], tasks: null })
      if (!(error instanceof CopartitionError)) throw error
      return planOf(resolved, external, { problems: [error.message], tasks: null })
    }
  }

  #external(topology: Topology, topic: string, existing: ReadonlyMap<string, number>): PlannedTopic {
    const role = isRead(topology, topic) ? 'source' : 'sink'
    const found = existing.get(topic)
    if (found !== undefined) return { topic, role, action: 'keep', partitions: found, reason: 'it exists' }
    const { createTopics } = this.#options
    if (createTopics) {
      const partitions = createTopics.partitions ?? 1
      return {
        topic,
        role,
        action: 'make',
        partitions,
        reason: 'it does not exist, and createTopics allows to make it'
      }
    }
    const reason = 'it does not exist, and the application may not make it: create it first, or pass createTopics'
    return { topic, role, action: 'reject', partitions: null, reason }
  }

  async #internal(topic: InternalTopic, existing: ReadonlyMap<string, number>): Promise<PlannedTopic> {
    const { name, partitions } = topic
    const of = { topic: name, role: 'internal' } as const
    const found = existing.get(name)
    if (found === undefined) return { ...of, action: 'make', partitions, reason: 'it does not exist' }
    if (found !== partitions) {
      const reason = `it has ${found} partitions and the topology needs ${partitions}: reset the application, or give it another name`
      return { ...of, action: 'reject', partitions: found, reason }
    }
    const differences = await this.#configDifferences(topic)
    const reason = differences.length === 0 ? 'it exists as needed' : `it exists; ${differences.join(', ')}`
    return { ...of, action: 'keep', partitions, reason }
  }

  /** A start leaves the configurations of a topic that exists alone, so that what somebody set by hand stays. */
  async #configDifferences(topic: InternalTopic): Promise<string[]> {
    const { name } = topic
    const actual = await this.#admin.describeConfigs({ type: 'topic', name })
    return Object.entries(configsOf(topic, this.#options.internalTopicConfigs)).flatMap(([key, wanted]) => {
      const value = actual.get(key)?.value ?? null
      return value === null || value === wanted ? [] : [`its ${key} stays ${value}, a new one would have ${wanted}`]
    })
  }
}

function resolve(topology: Topology, existing: ReadonlyMap<string, number>): Topology | string {
  if (!hasPatterns(topology)) return topology
  try {
    return resolvePatterns(topology, existing.keys())
  } catch (error) {
    if (error instanceof TopologyError) return error.message
    throw error
  }
}

function isRead(topology: Topology, topic: string): boolean {
  return (
    topology.subtopologies.some(({ sourceTopics }) => sourceTopics.includes(topic)) ||
    topology.globalTables.some((table) => table.topic === topic)
  )
}

function planOf(
  { name: application, stores }: Topology,
  topics: readonly PlannedTopic[],
  { problems, tasks }: Pick<StartPlan, 'problems' | 'tasks'>
): StartPlan {
  // A sink that is missing does not keep the application from starting: the first record for it does.
  const startable = problems.length === 0 && !topics.some(({ action, role }) => action === 'reject' && role !== 'sink')
  return { application, topics, problems, notes: unloggedStores(stores), tasks, startable }
}

function unloggedStores(stores: Topology['stores']): string[] {
  return stores
    .filter(({ changelog }) => changelog === false)
    .map((store) => `store '${store.name}' has no changelog: it begins empty ${whenEmpty(store)}`)
}

/** The plan as text, a line a topic. */
export function formatPlan({ application, topics, problems, notes, tasks, startable }: StartPlan): string {
  const lines = [application]
  for (const { topic, role, action, partitions, reason } of topics) {
    const count = partitions === null ? '' : ` (${partitions} ${partitions === 1 ? 'partition' : 'partitions'})`
    lines.push(`  ${action.padEnd(6)} ${role} ${topic}${count}: ${reason}`)
  }
  for (const problem of problems) lines.push(`  problem: ${problem}`)
  for (const note of notes) lines.push(`  note: ${note}`)
  if (tasks !== null) lines.push(`  ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`)
  lines.push(startable ? 'it can start' : 'it cannot start')
  return `${lines.join('\n')}\n`
}
