import { RecordBatch } from '../../wire/batch/record-batch.ts'
import { sequenceAfter } from './partition-queue.ts'
import { ProducerBatch } from './producer-batch.ts'

/**
 * A sent batch as two, with the first and the second half of its records; those who wait for a record now wait for its half. The halves
 * carry the sequence numbers of the whole, so nothing that follows has to change.
 */
export function splitBatch(whole: ProducerBatch, sent: Buffer): readonly [ProducerBatch, ProducerBatch] {
  const middle = whole.recordCount >> 1
  const first = new ProducerBatch(whole.place)
  const second = new ProducerBatch({ ...whole.place, order: whole.place.order + 2 ** -whole.attempts })
  copyRecords(sent, middle, first, second)
  for (const waiting of whole.awaited) {
    if (waiting.index < middle) first.awaited.push(waiting)
    else second.awaited.push({ ...waiting, index: waiting.index - middle })
  }
  first.inherit(whole, whole.baseSequence)
  second.inherit(whole, whole.baseSequence < 0 ? -1 : sequenceAfter(whole.baseSequence, middle))
  first.reservedBytes = whole.reservedBytes >> 1
  second.reservedBytes = whole.reservedBytes - first.reservedBytes
  let left = 2
  const halfSettled = () => {
    if (--left === 0) whole.settle()
  }
  first.whenSettled(halfSettled)
  second.whenSettled(halfSettled)
  return [first, second]
}

function copyRecords(sent: Buffer, middle: number, first: ProducerBatch, second: ProducerBatch): void {
  const cursor = new RecordBatch(sent).records()
  for (let index = 0; cursor.next(); index++) {
    const target = index < middle ? first : second
    target.append(cursor.key(), cursor.value(), cursor.timestamp, cursor.headers())
  }
}
