import type { Environment } from '@millrace/log'
import { type TaskId, taskName } from '../assignment/task-id.ts'
import { changelogTopicName, internalTopicName } from '../graph/names.ts'
import type { StoreDefinition } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { RecordCollector } from '../processor/record-collector.ts'
import type { StateEngine } from '../state/engine.ts'
import { StoreDamagedError } from '../state/errors.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import type { RecoverableError } from '../task/recovery.ts'
import type { TaskOptions } from '../task/task.ts'
import { inputPartitions } from './group-assignor.ts'
import { type ChangelogCatalog, type OpenedStores, RunningTask } from './running-task.ts'
import type { TopicPlan } from './topic-plan.ts'

/** Makes the engine of a task, at a path of its own. */
export type EngineFactory = (path: string, environment: Environment) => Promise<StateEngine>

/** What tasks are opened with. */
export interface TaskOpenerOptions {
  readonly topology: Topology
  readonly plan: TopicPlan
  readonly environment: Environment
  readonly catalog: ChangelogCatalog
  readonly engine: EngineFactory
  /** Directory of a task's state, by the task's name. */
  taskPath(task: string): string
  readonly collector: RecordCollector
  readonly policies: ErrorPolicies
  /** Rows of the global tables, by store. */
  readonly globalTable?: NonNullable<TaskOptions['globalTable']>
  /** Why the state on disk must not be used, when that was found while running. */
  readonly damaged?: string
  readonly onSkipped?: (error: RecoverableError) => void
  readonly inspect?: (value: unknown) => void
  /** A task that waited for asynchronous work may go on. */
  readonly wake: () => void
}

/** Opens a task: its state directory, its stores, its place in the topology. */
export function openTask(id: TaskId, options: TaskOpenerOptions): Promise<RunningTask> {
  const { topology, plan } = options
  const name = taskName(id)
  const subtopology = topology.subtopologies[id.subtopology]
  const inputs = inputPartitions(topology, plan, id)
  const definitions = definitionsOf(topology, subtopology.stores)
  const { logged = [], unlogged = [] } = Object.groupBy(definitions, ({ changelog }) =>
    changelog === false ? 'unlogged' : 'logged'
  )
  return RunningTask.open({
    id,
    name,
    inputs,
    changelogs: new Map(logged.map((store) => [store.name, changelogTopicName(topology.name, store.name)])),
    unlogged: unlogged.map((store) => store.name),
    catalog: options.catalog,
    openStores: (discard) => openStores(options, { name, definitions, discard }),
    taskOptions: {
      topology,
      subtopology,
      partition: id.partition,
      topics: inputs.map(({ topic }) => topic),
      collector: options.collector,
      internalTopic: (topic) => internalTopicName(topology.name, topic),
      policies: options.policies,
      ...(options.globalTable && { globalTable: options.globalTable }),
      nowMs: () => options.environment.clock.nowMs(),
      environment: options.environment,
      wake: options.wake,
      ...(options.onSkipped && { onSkipped: options.onSkipped }),
      ...(options.inspect && { inspect: options.inspect })
    }
  })
}

interface StoresToOpen {
  readonly name: string
  readonly definitions: readonly StoreDefinition[]
  readonly discard: boolean
}

/** A damaged state is moved aside, to be looked at, and an empty one opened in its place. */
async function openStores(options: TaskOpenerOptions, wanted: StoresToOpen): Promise<OpenedStores> {
  const { environment } = options
  const path = options.taskPath(wanted.name)
  if (wanted.discard) environment.files.removeDirectory(path)
  if (!wanted.discard && options.damaged !== undefined)
    return replaceDamaged(path, options, { ...wanted, problem: options.damaged })
  try {
    return { stores: await openAt(path, options, wanted) }
  } catch (error) {
    if (!(error instanceof StoreDamagedError)) throw error
    return replaceDamaged(path, options, { ...wanted, problem: error.message })
  }
}

async function replaceDamaged(
  path: string,
  options: TaskOpenerOptions,
  wanted: StoresToOpen & { readonly problem: string }
): Promise<OpenedStores> {
  const { environment } = options
  const aside = freeName(environment, `${path}.damaged`)
  if (environment.files.exists(path)) environment.files.rename(path, aside)
  return { stores: await openAt(path, options, wanted), setAside: `${wanted.problem} (kept as ${aside})` }
}

async function openAt(path: string, options: TaskOpenerOptions, wanted: StoresToOpen): Promise<TaskStores> {
  // What is not in memory in any case is kept in the application's engine.
  const allInMemory = wanted.definitions.every(({ engine: kept }) => kept === 'memory')
  const engine = allInMemory ? new MemoryEngine() : await options.engine(path, options.environment)
  try {
    return await TaskStores.open({ definitions: wanted.definitions, engine })
  } catch (error) {
    await engine.close()
    throw error
  }
}

function freeName(environment: Environment, base: string): string {
  for (let i = 1; ; i++) if (!environment.files.exists(`${base}-${i}`)) return `${base}-${i}`
}

function definitionsOf(topology: Topology, names: readonly string[]): StoreDefinition[] {
  return topology.stores.filter((store) => names.includes(store.name))
}
