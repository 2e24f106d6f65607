import { chooseQueue } from './record-choice.ts'
import { showHead } from './record-head.ts'
import type { RecordRun } from './record-run.ts'

/**
 * The spine of a task: one record, from the head of its partition to its last effect. All of it is synchronous, and nothing of another record
 * of the task happens in between.
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
 * @returns false when there is nothing to process, or when an earlier record is known to be on its way.
 * @throws the error, when a policy says fail or no policy covers it: the task is then to be closed, and its transaction aborted.
 */
export function processRecord(run: RecordRun): boolean {
  // 1.
  for (const queue of run.queues) if (queue.head === undefined) showHead(queue, run)
  // 2.
  const queue = chooseQueue(run.queues)
  const record = queue?.head
  if (queue === undefined || record === undefined) return false
  // 3.
  run.time.advance(queue.time, record.timestamp)
  // 4.
  run.stage.mark()
  try {
    // 5.
    queue.source.enter(record)
    // 6.
    run.stage.release()
  } catch (error) {
    run.stage.rollback()
    run.recover(error, queue, record.origin)
  }
  // 7.
  queue.consumed(record.origin.offset)
  return true
}
