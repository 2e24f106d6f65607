import {
  type Admin,
  CommitRefusedError,
  type Log,
  type OffsetQuery,
  type OpenLogOptions,
  openLog,
  partitionKey,
  UnknownTopicError
} from '@millrace/log'
import { describeTopology } from '../graph/describe.ts'
import type { OffsetReset } from '../graph/node.ts'
import { hasPatterns, resolvePatterns } from '../graph/resolve-patterns.ts'
import type { Topology } from '../graph/topology.ts'
import { ApplicationRunningError } from './errors.ts'
import { sinceTimestampMs } from './initial-offsets.ts'
import { clearStateDirectory, findStateDirectory, stateRoot } from './state-directory.ts'
import { isLog } from './where.ts'

/** How to reset an application. */
export interface ResetOptions {
  /** A URL, options to open a log with, or an open log, which stays open. */
  readonly log: string | OpenLogOptions | Log
  /** Look, and change nothing. Default false. */
  readonly dryRun?: boolean
  /** Where reading begins anew. Default: where each source's `reset` says, which is the start unless it says otherwise, also for `none`. */
  readonly to?: 'earliest' | 'latest'
  /** Where stores are kept on this machine; default as for `runStreams`. */
  readonly stateDirectory?: string
}

/** What a reset did, or in a dry run would do. */
export interface ResetReport {
  readonly application: string
  readonly dryRun: boolean
  /** The topology's internal topics that exist. Those of earlier versions of it stay (`diffTopologies` names them). */
  readonly deletedTopics: readonly string[]
  readonly offsets: readonly ResetOffset[]
  /** Where the state of tasks on this machine is; null when there is none. Other machines' stores find their changelogs gone and are rebuilt. */
  readonly clearedDirectory: string | null
}

/** The group's position in one partition of a source. */
export interface ResetOffset {
  readonly topic: string
  readonly partition: number
  /** Null: the group had none. */
  readonly from: number | null
  readonly to: number
}

/**
 * Makes an application forget what it has done, so that its next start begins anew: 1. its group's positions go back (or to the end), 2. its
 * internal topics are deleted, 3. its state on this machine is removed. What it has written to other topics stays. When it fails in between, run it
 * again before the application starts.
 *
 * @throws ApplicationRunningError while the group has members, and nothing is changed then; LockHeldError while the state directory is in use.
 */
export async function resetApplication(topology: Topology, options: ResetOptions): Promise<ResetReport> {
  const log = isLog(options.log) ? options.log : await openLog(options.log)
  const admin = log.admin()
  try {
    const report = await planReset({ log, admin, options }, topology)
    if (!report.dryRun) await carryOut({ log, admin, options }, report)
    return report
  } finally {
    await admin.close()
    if (log !== options.log) await log.close()
  }
}

interface Resetting {
  readonly log: Log
  readonly admin: Admin
  readonly options: ResetOptions
}

async function planReset({ log, admin, options }: Resetting, topology: Topology): Promise<ResetReport> {
  const { name: application } = topology
  const { members } = await admin.describeGroup(application)
  if (members.length > 0) throw new ApplicationRunningError(application, members.length)
  const existing = new Map((await admin.listTopics()).map((topic) => [topic.name, topic.partitions.length]))
  const root = stateRoot(log, options.stateDirectory)
  const owner = { clusterId: log.clusterId, application }
  return {
    application,
    dryRun: options.dryRun ?? false,
    deletedTopics: internalTopics(topology).filter((topic) => existing.has(topic)),
    offsets: await newOffsets(admin, { topology, existing, to: options.to, nowMs: log.environment.clock.nowMs() }),
    clearedDirectory: (root === undefined ? undefined : findStateDirectory(log.environment, root, owner)) ?? null
  }
}

async function carryOut({ log, admin }: Resetting, report: ResetReport): Promise<void> {
  const { application, deletedTopics, offsets, clearedDirectory } = report
  // The group refuses positions of a stranger while it has members: one that joined just now is seen here at the latest.
  const consumer = log.consumer({ groupId: application })
  try {
    const positions = offsets.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))
    if (positions.length > 0) await consumer.commit(positions)
  } catch (cause) {
    throw cause instanceof CommitRefusedError ? new ApplicationRunningError(application, 0, { cause }) : cause
  } finally {
    await consumer.close()
  }
  for (const { error } of deletedTopics.length > 0 ? await admin.deleteTopics(deletedTopics) : []) {
    if (error !== undefined && !(error instanceof UnknownTopicError)) throw error
  }
  if (clearedDirectory !== null) clearStateDirectory(log.environment, clearedDirectory, application)
}

/** Full names. Only those that the topology itself makes: a prefix would match applications whose names begin with this one's. */
function internalTopics(topology: Topology): string[] {
  const { stores, repartitions } = describeTopology(topology)
  return [
    ...repartitions.map(({ topic }) => topic),
    ...stores.flatMap(({ changelog }) => (changelog === null ? [] : [changelog]))
  ]
}

interface Repositioning {
  readonly topology: Topology
  /** Partitions of the topics there are. */
  readonly existing: ReadonlyMap<string, number>
  readonly to: ResetOptions['to']
  readonly nowMs: number
}

async function newOffsets(admin: Admin, { topology, existing, to, nowMs }: Repositioning): Promise<ResetOffset[]> {
  const resolved = hasPatterns(topology) ? resolvePatterns(topology, existing.keys()) : topology
  const queries = resolved.nodes.flatMap((node): OffsetQuery[] => {
    if (node.kind !== 'source' || node.repartitionOf !== undefined) return []
    const at = to ?? placeOf(node.reset, nowMs)
    return node.topics.flatMap((topic) =>
      Array.from({ length: existing.get(topic) ?? 0 }, (_, partition) => ({ topic, partition, at }))
    )
  })
  const committed = await admin.listGroupOffsets(topology.name)
  const found = new Map(await admin.listOffsets(queries, 'read_committed'))
  // Where there is no record of a time yet, the next one is.
  const ahead = queries.filter(({ topic, partition }) => (found.get(partitionKey(topic, partition))?.offset ?? 0) < 0)
  if (ahead.length > 0) {
    const ends = await admin.listOffsets(
      ahead.map((query) => ({ ...query, at: 'latest' })),
      'read_committed'
    )
    for (const [key, end] of ends) found.set(key, end)
  }
  return queries.flatMap(({ topic, partition }) => {
    const key = partitionKey(topic, partition)
    const target = found.get(key)
    return target === undefined
      ? []
      : [{ topic, partition, from: committed.get(key)?.offset ?? null, to: target.offset }]
  })
}

function placeOf(reset: OffsetReset | undefined, nowMs: number): OffsetQuery['at'] {
  if (typeof reset === 'object') return { timestampMs: sinceTimestampMs(reset, nowMs) }
  return reset === 'latest' ? 'latest' : 'earliest'
}

/** The report as text, a line a thing. */
export function formatReset({ application, dryRun, deletedTopics, offsets, clearedDirectory }: ResetReport): string {
  const lines = [`${application}${dryRun ? ' (dry run: nothing is changed)' : ''}`]
  const did = (done: string, would: string) => (dryRun ? `would ${would}` : done)
  for (const { topic, partition, from, to } of offsets) {
    lines.push(`  ${did('set', 'set')} position in ${topic}-${partition}: ${from ?? 'none'} -> ${to}`)
  }
  for (const topic of deletedTopics) lines.push(`  ${did('deleted', 'delete')} topic ${topic}`)
  if (clearedDirectory !== null) lines.push(`  ${did('removed', 'remove')} the tasks' state in ${clearedDirectory}`)
  return `${lines.join('\n')}\n`
}
