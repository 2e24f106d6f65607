import { partitionKey } from '@millrace/log'
import { PoisonousRecordError, SinkFencedError, SinkSetupError } from '../errors.ts'
import type { SinkOffset } from '../sink.ts'
import { TransformError } from './errors.ts'
import { isTransient } from './failure.ts'
import type { QueuedRecord, SinkBatch } from './sink-queue.ts'

/** What divides a batch needs. */
export interface BatchWriting {
  /** Writes all or nothing, and the offsets with it. @throws what the sink throws. */
  write(batch: SinkBatch): Promise<void>
  /** A record alone cannot be written: it is put aside, with the offsets behind it, or the error thrown. */
  refuse(entry: QueuedRecord, offsets: readonly SinkOffset[], error: unknown): Promise<void>
  /** Whether the rest may still be written. */
  goesOn(): boolean
}

/**
 * Writes a batch whatever is in it: when it cannot be written whole, halves of it are, until the records are found that fail alone. A batch of
 * n records with one bad one takes log2(n) writes that fail and as many that succeed, and one more of the record that is left alone; where the error
 * names the record, one of each.
 * Order within a partition is kept, since the parts are written one after the other.
 *
 * @throws TransientSinkError, SinkFencedError and SinkSetupError as they come: then the parts before are written, and the rest is not.
 */
export async function writeDivided(batch: SinkBatch, writing: BatchWriting): Promise<void> {
  try {
    await writing.write(batch)
  } catch (error) {
    await divide(batch, error, writing)
  }
}

/** The batch was tried whole and failed. */
async function divide(batch: SinkBatch, error: unknown, writing: BatchWriting): Promise<void> {
  if (isTransient(error) || error instanceof SinkFencedError || error instanceof SinkSetupError) throw error
  const named = error instanceof PoisonousRecordError || error instanceof TransformError ? indexOf(batch, error) : -1
  if (batch.entries.length === 1) {
    if (named >= 0) await writing.refuse(batch.entries[0], batch.offsets, error)
    else await tryOnceMore(batch, writing)
    return
  }
  if (named >= 0) {
    await divideAt(batch, named, error, writing)
    return
  }
  const middle = batch.entries.length >> 1
  const first = slice(batch, 0, middle)
  const second = slice(batch, middle, batch.entries.length)
  let firstError: unknown
  const firstWritten = await writing.write(first).then(
    () => true,
    (failure: unknown) => {
      firstError = failure
      return false
    }
  )
  if (!writing.goesOn()) return
  // What failed whole fails in one of its halves: when the first was written, the second need not be tried whole.
  if (firstWritten) await divide(second, error, writing)
  else {
    await divide(first, firstError, writing)
    if (writing.goesOn()) await writeDivided(second, writing)
  }
}

/** Nothing says that it is this record: what has failed its batch may have passed. */
async function tryOnceMore(batch: SinkBatch, writing: BatchWriting): Promise<void> {
  try {
    await writing.write(batch)
  } catch (error) {
    if (isTransient(error) || error instanceof SinkFencedError || error instanceof SinkSetupError) throw error
    await writing.refuse(batch.entries[0], batch.offsets, error)
  }
}

/** The sink has said which record it is. */
async function divideAt(batch: SinkBatch, index: number, error: unknown, writing: BatchWriting): Promise<void> {
  if (index > 0) await writeDivided(slice(batch, 0, index), writing)
  if (!writing.goesOn()) return
  const bad = slice(batch, index, index + 1)
  await writing.refuse(bad.entries[0], bad.offsets, error)
  if (index + 1 < batch.entries.length && writing.goesOn()) {
    await writeDivided(slice(batch, index + 1, batch.entries.length), writing)
  }
}

function indexOf(batch: SinkBatch, { topic, partition, offset }: PoisonousRecordError | TransformError): number {
  return batch.entries.findIndex(({ record }) => {
    const sameTopic = record.topic === topic || record.routedTo === topic
    return sameTopic && record.partition === partition && record.offset === offset
  })
}

/** Part of a batch, with the offsets behind it; those of the whole where it takes a partition's last record. */
export function slice({ entries, offsets }: SinkBatch, from: number, to: number): SinkBatch {
  const part = entries.slice(from, to)
  const follows = new Set(entries.slice(to).map(({ record }) => partitionKey(record.topic, record.partition)))
  const whole = new Map(offsets.map((offset) => [partitionKey(offset.topic, offset.partition), offset]))
  const behind = new Map<string, SinkOffset>()
  for (const { record } of part) {
    const { topic, partition, offset } = record
    behind.set(partitionKey(topic, partition), { topic, partition, offset: offset + 1 })
  }
  const reached = ([key, offset]: [string, SinkOffset]) => (follows.has(key) ? offset : (whole.get(key) ?? offset))
  return { entries: part, offsets: [...behind].map(reached) }
}
