import type { Partition } from '../partition/partition.ts'

/** A batch's place among those of its producer that wait before a partition. */
export interface Turn {
  /** Resolves when those before it are in, or refused. */
  readonly come: Promise<void>
  /** Lets the next one go. To be called in any case. */
  end(): void
}

/** By producer, the end of the last turn that was taken and is not over. */
const lastTurns = new WeakMap<Partition, Map<string, Promise<void>>>()

/**
 * Whether batches of the producer (its id and epoch) wait before the partition. One that comes later must wait behind them, although the partition
 * would let it in: what holds them up may be a neighbour in their request, which the coordinator does not know yet.
 */
export function isQueueing(partition: Partition, producer: string): boolean {
  return lastTurns.get(partition)?.has(producer) ?? false
}

/** Takes the next place in the producer's queue before the partition. */
export function takeTurn(partition: Partition, producer: string): Turn {
  const turns = lastTurns.get(partition) ?? new Map<string, Promise<void>>()
  lastTurns.set(partition, turns)
  const { promise, resolve } = Promise.withResolvers<void>()
  const come = turns.get(producer) ?? Promise.resolve()
  turns.set(producer, promise)
  const end = () => {
    if (turns.get(producer) === promise) turns.delete(producer)
    resolve()
  }
  return { come, end }
}
