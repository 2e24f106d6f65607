import type { CommittedOffset, Consumer } from '@millrace/log'
import { type RestoreContext, type RestoreJob, restoreStores } from '../changelog/restore.ts'
import type { Trace } from '../observe/trace.ts'

/** A task between being opened and being run. */
export interface StartingTask {
  /** Input partitions, full topic names. */
  readonly inputs: readonly { readonly topic: string; readonly partition: number }[]
  /** Compares each store's identity with its changelog and says what is to be read; a store that does not belong is emptied first. */
  restoreJobs(): Promise<readonly RestoreJob[]>
  /** Takes over where its inputs begin, and the time state in the metadata of committed offsets; from here on it may run. */
  resume(positions: ReadonlyMap<string, CommittedOffset>): void
}

/** What a start works on. */
export interface StartUnit {
  readonly tasks: readonly StartingTask[]
  /** Initializes the producer unless it is; resolves when no transaction of an earlier life is open. */
  initializeProducer(): Promise<void>
  /** The thread's consumer, which has been assigned the tasks' inputs. */
  readonly consumer: Consumer
  /** Puts the consumer where the commit left off, or where an input without one begins; returns where that is. */
  seek(committed: ReadonlyMap<string, CommittedOffset>): Promise<ReadonlyMap<string, CommittedOffset>>
  readonly restore: RestoreContext
}

/**
 * The other half of the commit spine: from whatever a crash, an abort or a rebalance left, to running tasks.
 *
 * 1. InitProducerId with the stable transactional id: what an earlier life left open is aborted, and that life fenced.
 * 2. Read the committed offsets, stable ones only, with the tasks' time in their metadata.
 * 3. Read the changelogs' ends, uncommitted: nothing can be added to them but by this thread.
 * 4. Restore each store from its own offset to that end, read committed: only what committed after its last commit is replayed.
 * 5. Run: positions, time and stores are those of one and the same commit.
 */
export async function start(unit: StartUnit, trace: Trace): Promise<void> {
  // 1.
  await unit.initializeProducer()
  trace('start:producer-initialized')
  // 2.
  const inputs = unit.tasks.flatMap((task) => task.inputs)
  const committed = await unit.consumer.committed(inputs)
  trace('start:offsets-read')
  // 3.
  const jobs: RestoreJob[] = []
  for (const task of unit.tasks) jobs.push(...(await task.restoreJobs()))
  trace('start:changelog-ends-read')
  // 4.
  await restoreStores(jobs, unit.restore)
  trace('start:restored')
  // 5.
  const positions = await unit.seek(committed)
  for (const task of unit.tasks) task.resume(positions)
}
