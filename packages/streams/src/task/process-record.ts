import type { StreamRecord } from '../graph/record.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { RecordRun } from './record-run.ts'

/**
 * The spine of a task: one record, from the head of its partition to its last effect. All of it is synchronous, unless a processor of the program
 * waits for something: then steps 6 and 7 come when it is done. Nothing of another record of the task happens in between.
 *
 * 1. Every partition that has records shows its head: decoded, and stamped with its event time. Bytes that cannot be read go to the
 *    deserialization policy.
 * 2. Take the head with the lowest timestamp. Within a partition that is always the next one.
 * 3. Advance the time of its partition and of the task.
 * 4. Mark the stage: what the record does from here on can be undone.
 * 5. Run the record through the compiled graph, depth first: every step, store and send below the source.
 * 6. On an error of a callback undo all of that and apply the processing policy; else release the sends.
 * 7. Note the record as consumed: a commit from here on covers it and all that it did.
 *
 * @returns false when there is nothing to process, or when an earlier record is known to be on its way; a promise when the record is not done
 *   yet: it is to be waited for before anything else of the task.
 * @throws the error, when a policy says fail or no policy covers it: the task is then to be closed, and its transaction aborted.
 */
export function processRecord(run: RecordRun): boolean | Promise<void> {
  // 1. and 2.
  const queue = run.choice.next(run.show)
  const record = queue?.head
  if (queue === undefined || record === undefined) return false
  // 3.
  run.time.advance(queue.time, record.timestamp)
  // 4.
  run.stage.mark()
  try {
    // 5.
    queue.source.enter(record)
    if (run.waits.any) return finishLater(run, { queue, record })
    // 6.
    run.stage.release()
  } catch (error) {
    if (run.waits.any) return finishLater(run, { queue, record, error })
    run.stage.rollback()
    run.recover(error, queue, record.origin)
  }
  // 7.
  queue.consumed(record.origin.offset)
  return true
}

/** Steps 6 and 7 of a record that waits. What is still under way ends first, whatever failed: nothing may change after a rollback. */
async function finishLater(
  run: RecordRun,
  begun: { readonly queue: PartitionQueue; readonly record: StreamRecord; readonly error?: unknown }
): Promise<void> {
  const { queue, record } = begun
  try {
    await run.waits.settled()
    if ('error' in begun) throw begun.error
    run.stage.release()
  } catch (cause) {
    run.stage.rollback()
    run.recover('error' in begun ? begun.error : cause, queue, record.origin)
  }
  queue.consumed(record.origin.offset)
}
