import { TimeHeap } from '../processor/time-heap.ts'
import type { PartitionQueue } from './partition-queue.ts'

/**
 * Picks the partition whose head has the lowest timestamp; of equal ones the one that {@link TimeHeap} does, as Kafka Streams. Undefined when
 * there is no head, or when it is worth waiting: a partition without a head, but with records known to be on the log, may have an earlier
 * one. New data is not waited for (Kafka Streams' `max.task.idle.ms=0`).
 */
export class RecordChoice {
  readonly #queues: readonly PartitionQueue[]
  readonly #byHead = new TimeHeap<PartitionQueue>(({ head }) => head?.timestamp ?? Number.POSITIVE_INFINITY)
  /** Whose head was taken last, if it has more: the first to get a place again. A field, since it changes with every record. */
  #taken: PartitionQueue | undefined
  /** Queues that have records and no place among the heads, in the order in which they came to that. */
  #arrived: PartitionQueue[] = []
  /** Queues that have a place, or have arrived. */
  readonly #known = new Set<PartitionQueue>()

  constructor(queues: readonly PartitionQueue[]) {
    this.#queues = queues
  }

  /** A queue was offered records. */
  offered(queue: PartitionQueue): void {
    if (this.#known.has(queue)) return
    this.#known.add(queue)
    this.#arrived.push(queue)
  }

  /**
   * The queue to take the head of next. It gives up its place: if it has more, it is the first to get another.
   * @param show Makes a queue show its head, if it has one.
   */
  next(show: (queue: PartitionQueue) => void): PartitionQueue | undefined {
    if (this.#queues.length === 1) return this.#only(this.#queues[0], show)
    const taken = this.#taken
    if (taken !== undefined) {
      this.#taken = undefined
      this.#place(taken, show)
    }
    if (this.#arrived.length > 0) this.#placeArrived(show)
    if (this.#byHead.size < this.#queues.length && this.#queues.some(isAwaited)) return undefined
    const queue = this.#byHead.take()
    if (queue === undefined) return undefined
    if (queue.buffered > 1) this.#taken = queue
    else this.#known.delete(queue)
    return queue
  }

  #only(queue: PartitionQueue, show: (queue: PartitionQueue) => void): PartitionQueue | undefined {
    if (queue.head === undefined) show(queue)
    return queue.head === undefined ? undefined : queue
  }

  #placeArrived(show: (queue: PartitionQueue) => void): void {
    const arrived = this.#arrived
    this.#arrived = []
    for (const queue of arrived) this.#place(queue, show)
  }

  #place(queue: PartitionQueue, show: (queue: PartitionQueue) => void): void {
    if (queue.head === undefined) show(queue)
    if (queue.head === undefined) this.#known.delete(queue)
    else this.#byHead.add(queue)
  }
}

function isAwaited({ head, lagging }: PartitionQueue): boolean {
  return head === undefined && lagging
}
