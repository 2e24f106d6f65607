import { changelogPositions, writeChangelog } from '../changelog/changelog-writer.ts'
import type { Trace } from '../observe/trace.ts'
import type { CommittableTask, CommitUnit } from './commit-unit.ts'

/**
 * The commit spine: one transaction for all tasks of a thread. The order is what exactly-once rests on.
 *
 * 1. Stop taking records: the caller is between two records, and stays there until this resolves.
 * 2. Flush what waits for the commit through the graph (last updates per key, closed windows); it may change more stores.
 * 3. Write one changelog record per changed key.
 * 4. Flush the producer: every record of this transaction is acknowledged, and what it refers to beside the log is on the disk.
 * 5. Send the consumed offsets, with the group's metadata, to the transaction and commit it. **This is the instant of commit.**
 * 6. Apply each task's write buffer, and the changelog offset it reaches, to its engine in one atomic, synced batch.
 * 7. Publish to queries and watchers.
 *
 * A crash before 5 leaves log and stores at the previous commit. Between 5 and 6 the stores are behind, and the start replays the
 * tail of the changelog. A store is never ahead of its changelog. After a failure at any step the caller aborts and starts anew
 * (`start.ts`): the log then tells how the transaction ended.
 */
export async function commit(unit: CommitUnit, trace: Trace): Promise<void> {
  const { tasks, producer } = unit
  // 1.
  trace('commit:stopped')
  // 2.
  for (const task of tasks) await task.flush()
  trace('commit:flushed')
  // 3.
  const changes = tasks.map((task) => writeChangelog(task, producer, (store) => unit.watched(store)))
  trace('commit:changelog-written')
  // 4.
  await producer.flush()
  for (const store of unit.besideLog) await store.synced()
  trace('commit:producer-flushed')
  // 5.
  const offsets = tasks.flatMap((task) => task.consumedOffsets())
  await producer.sendOffsetsToTransaction(offsets, unit.group())
  await producer.commitTransaction()
  trace('commit:transaction-committed')
  // 6.
  await Promise.all(tasks.map((task) => applyState(task, unit)))
  trace('commit:state-applied')
  // 7.
  tasks.forEach((task, i) => {
    unit.publish(task, changes[i])
  })
  trace('commit:published')
}

function applyState(task: CommittableTask, unit: CommitUnit): Promise<void> {
  return task.stores.apply({
    changelogOffsets: changelogPositions(task, unit.producer),
    time: task.timeState(),
    nowMs: unit.nowMs()
  })
}
