import type { PartitionQueue } from './partition-queue.ts'

/**
 * Picks the partition whose head has the lowest timestamp; of equal ones the first in the order of the task's inputs. Undefined when there is
 * no head, or when it is worth waiting: a partition without a head, but with records known to be on the log, may have an earlier one. New data
 * is not waited for (Kafka Streams' `max.task.idle.ms=0`).
 */
export function chooseQueue(queues: readonly PartitionQueue[]): PartitionQueue | undefined {
  if (queues.length === 1) return queues[0].head === undefined ? undefined : queues[0]
  let chosen: PartitionQueue | undefined
  let lowestMs = Number.POSITIVE_INFINITY
  for (const queue of queues) {
    const { head } = queue
    if (head === undefined) {
      if (queue.lagging) return undefined
    } else if (head.timestamp < lowestMs) {
      chosen = queue
      lowestMs = head.timestamp
    }
  }
  return chosen
}
