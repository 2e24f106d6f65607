import { type Consumer, type Environment, type FetchedPartition, partitionKey } from '@millrace/log'
import type { RestoreProgress } from '../observe/app-state.ts'
import type { TaskStores } from '../state/task-stores.ts'

/** One store to bring up to its changelog's end. */
export interface RestoreJob {
  readonly store: string
  readonly task: string
  readonly stores: TaskStores
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  /** End of the changelog when the restore began, open transactions included. */
  readonly endOffset: number
  readonly rebuildReason?: string
}

/** What a restore reads with and whom it tells. */
export interface RestoreContext {
  /** Reads committed records only, without a group. */
  readonly consumer: Consumer
  readonly environment: Environment
  progress(progress: RestoreProgress): void
  /** True when the application is closing: the restore stops between two batches, nothing half done. */
  stopped(): boolean
}

const POLL_MS = 100

/**
 * Reads every job's changelog from its offset to its end into its store, several at once, in the order of the log. Markers and
 * gaps that compaction left count as read. Restoring is idempotent: killed half-way, the next one goes on from the last batch.
 */
export async function restoreStores(jobs: readonly RestoreJob[], context: RestoreContext): Promise<void> {
  const running = new Map<string, RunningJob>()
  for (const job of jobs) {
    const run = { job, position: job.fromOffset, records: 0, beganMs: context.environment.clock.monotonicMs() }
    report(run, context)
    if (run.position < job.endOffset) running.set(partitionKey(job.topic, job.partition), run)
  }
  if (running.size === 0) return
  const partitions = [...running.values()].map(({ job }) => ({ topic: job.topic, partition: job.partition }))
  context.consumer.assign(partitions)
  // A restore before this one, of the same changelogs, paused what it had finished.
  context.consumer.resume(partitions)
  for (const { job } of running.values()) {
    context.consumer.seek({ topic: job.topic, partition: job.partition }, job.fromOffset)
  }
  while (running.size > 0 && !context.stopped()) {
    for (const fetched of await context.consumer.poll(POLL_MS)) {
      const key = partitionKey(fetched.topic, fetched.partition)
      const run = running.get(key)
      if (!run) continue
      await restoreFetched(run, fetched, context.environment.clock.nowMs())
      report(run, context)
      if (run.position < run.job.endOffset) continue
      running.delete(key)
      context.consumer.pause([{ topic: run.job.topic, partition: run.job.partition }])
    }
  }
}

interface RunningJob {
  readonly job: RestoreJob
  position: number
  records: number
  readonly beganMs: number
}

async function restoreFetched(run: RunningJob, fetched: FetchedPartition, nowMs: number): Promise<void> {
  const position = { offset: fetched.nextOffset, leaderEpoch: fetched.batches.at(-1)?.leaderEpoch ?? -1, nowMs }
  await run.job.stores.restore(run.job.store, recordsOf(run, fetched), position)
  run.position = fetched.nextOffset
}

function* recordsOf(
  run: RunningJob,
  fetched: FetchedPartition
): Generator<{ key: Buffer; value: Buffer | null; timestamp: number }> {
  for (const batch of fetched.batches) {
    const cursor = batch.records()
    while (cursor.next()) {
      const key = cursor.key()
      if (cursor.offset < fetched.position || key === null) continue
      run.records++
      yield { key, value: cursor.value(), timestamp: cursor.timestamp }
    }
  }
}

function report(run: RunningJob, context: RestoreContext): void {
  const { job } = run
  const done = run.position >= job.endOffset
  const passed = run.position - job.fromOffset
  const elapsedMs = context.environment.clock.monotonicMs() - run.beganMs
  const remainingMs =
    passed > 0 ? Math.round((elapsedMs / passed) * Math.max(0, job.endOffset - run.position)) : undefined
  context.progress({
    store: job.store,
    task: job.task,
    topic: job.topic,
    partition: job.partition,
    fromOffset: job.fromOffset,
    offset: run.position,
    endOffset: job.endOffset,
    records: run.records,
    done,
    ...(remainingMs === undefined ? {} : { remainingMs }),
    ...(job.rebuildReason === undefined ? {} : { rebuildReason: job.rebuildReason })
  })
}
