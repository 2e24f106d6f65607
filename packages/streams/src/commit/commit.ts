import type { Trace } from '../observe/trace.ts'
import type { CommitUnit } from './commit-unit.ts'

/**
 * The commit spine: one transaction for all tasks of a thread. The order is what exactly-once rests on.
 *
 * 1. Stop taking records: the caller is between two records, and stays there until this resolves.
 * 2. Flush what waits for the commit through the graph (last updates per key, closed windows); it may change more stores.
 * 3. Write one changelog record per changed key.
 * 4. Flush the producer: every record of this transaction is acknowledged.
 * 5. Send the consumed offsets, with the group's metadata, to the transaction and commit it. **This is the instant of commit.**
 * 6. Apply each task's write buffer, and the changelog offset it reaches, to its engine in one atomic, synced batch.
 * 7. Publish to queries and watchers.
 *
 * A crash before 5 leaves log and stores at the previous commit. Between 5 and 6 the stores are behind, and the start replays the
 * tail of the changelog. A store is never ahead of its changelog. A failure before 5 must go to `abort`; one in 5 with an unknown
 * outcome too, since the next start learns from the log how it ended; one in 6 or 7 as well, for the same reason.
 */
export async function commit(unit: CommitUnit, trace: Trace): Promise<void> {
  // 1.
  trace('commit:stopped')
  // 2.
  for (const task of unit.tasks) await task.flush()
  trace('commit:flushed')
  // 3.
  const changes = unit.tasks.map((task) => unit.writeChangelog(task))
  trace('commit:changelog-written')
  // 4.
  await unit.producer.flush()
  trace('commit:producer-flushed')
  // 5.
  await unit.producer.sendOffsetsToTransaction(unit.consumedOffsets(), unit.group())
  await unit.producer.commitTransaction()
  trace('commit:transaction-committed')
  // 6.
  await Promise.all(unit.tasks.map((task) => unit.applyState(task)))
  trace('commit:state-applied')
  // 7.
  for (const change of changes) unit.publish(change)
  trace('commit:published')
}
