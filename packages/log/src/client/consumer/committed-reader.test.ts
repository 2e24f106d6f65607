import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { encodeEndTransactionMarker } from '../../wire/batch/control-batch.ts'
import { batchLastOffset, stampBatch } from '../../wire/batch/header.ts'
import { CorruptBatchError } from '../errors.ts'
import { readAnswer } from './committed-reader.ts'

const place = { topic: 'topic', partition: 2 }

/** What a test writes: `a3` three records of a transaction of producer a, `a+` its commit, `a-` its abort, `.2` records of nobody. */
type Step = `${string}`

interface WrittenLog {
  readonly batches: readonly Buffer[]
  readonly aborted: readonly {
    readonly producerId: number
    readonly firstOffset: number
    readonly lastOffset: number
  }[]
  /** Offsets that a reader of committed records must see. */
  readonly committed: readonly number[]
}

/** Writes the steps as a broker does, and keeps what a transaction index would. */
function write(steps: readonly Step[]): WrittenLog {
  const batches: Buffer[] = []
  const aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = []
  const open = new Map<string, number[]>()
  const committed: number[] = []
  let end = 0
  for (const step of steps) {
    const producer = step[0]
    const producerId = producer.charCodeAt(0)
    if (step[1] === '+' || step[1] === '-') {
      const offsets = open.get(producer) ?? []
      open.delete(producer)
      if (step[1] === '+') committed.push(...offsets)
      else if (offsets.length > 0) aborted.push({ producerId, firstOffset: offsets[0], lastOffset: end })
      const marker = { commit: step[1] === '+', coordinatorEpoch: 0 }
      const options = { producerId, producerEpoch: 0, timestampMs: 1, baseOffset: end++ }
      batches.push(encodeEndTransactionMarker(marker, options))
      continue
    }
    const offsets = Array.from({ length: Number(step.slice(1)) }, () => end++)
    batches.push(dataBatch(offsets, producer === '.' ? -1 : producerId))
    if (producer === '.') committed.push(...offsets)
    else open.set(producer, [...(open.get(producer) ?? []), ...offsets])
  }
  return { batches, aborted, committed: committed.sort((a, b) => a - b) }
}

function dataBatch(offsets: readonly number[], producerId: number): Buffer {
  const builder = new RecordBatchBuilder()
  for (const offset of offsets) builder.append(null, Buffer.from(String(offset)), 1)
  const batch = builder.build({ producerId, producerEpoch: 0, baseSequence: 0, transactional: producerId >= 0 })
  stampBatch(batch, offsets[0], 1)
  return batch
}

/** Reads a written log in answers of `perAnswer` batches, each with the aborted transactions that overlap it. */
function read({ batches, aborted }: WrittenLog, perAnswer: number, chunked: boolean): number[] {
  const seen: number[] = []
  let position = 0
  for (let start = 0; start < batches.length; start += perAnswer) {
    const part = batches.slice(start, start + perAnswer)
    const upTo = batchLastOffset(part[part.length - 1])
    const overlapping = aborted
      .filter(({ firstOffset, lastOffset }) => firstOffset <= upTo && lastOffset >= position)
      .sort((a, b) => b.firstOffset - a.firstOffset)
    const chunks = chunked ? part : [Buffer.concat(part)]
    const answer = readAnswer(place, { chunks, abortedTransactions: overlapping }, { position, checkCrcs: true })
    expect(answer.nextOffset).toBe(upTo + 1)
    position = answer.nextOffset
    for (const batch of answer.batches) {
      const cursor = batch.records()
      while (cursor.next()) seen.push(cursor.offset)
    }
  }
  return seen
}

describe('reading committed records', () => {
  it.each([
    ['two aborted transactions of one producer', ['a2', 'a-', '.1', 'a1', 'a-', 'a1', 'a+']],
    ['aborted ones among committed ones', ['a1', 'b1', 'a1', 'b+', 'a-', '.1']],
    ['a marker without records', ['a-', 'a1', 'a+', 'b-']],
    ['a producer that commits after it aborted', ['a1', 'a-', 'a1', '.1', 'a+']]
  ] as const)('leaves out %s', (_what, steps) => {
    const log = write(steps)
    for (const perAnswer of [1, 2, steps.length]) expect(read(log, perAnswer, false)).toEqual(log.committed)
  })

  it('sees exactly what was committed, whatever the order and wherever answers are cut', () => {
    const step = fc.oneof(
      fc.constantFrom('a+', 'a-', 'b+', 'b-', 'c+', 'c-'),
      fc.tuple(fc.constantFrom('a', 'b', 'c', '.'), fc.integer({ min: 1, max: 3 })).map(([who, n]) => `${who}${n}`)
    )
    // What is still open at the end is beyond the last stable offset: a broker does not hand it out.
    const steps = fc.array(step, { minLength: 1, maxLength: 30 }).map((some) => [...some, 'a+', 'b-', 'c+'])
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 8 }), fc.boolean(), (some, perAnswer, chunked) => {
        const log = write(some)
        expect(read(log, perAnswer, chunked)).toEqual(log.committed)
      }),
      { numRuns: 200 }
    )
  })

  it('leaves out markers and nothing else when all records are wanted', () => {
    const { batches } = write(['a1', 'a-', 'b1'])
    const options = { position: 0, checkCrcs: true }
    const answer = readAnswer(place, { chunks: batches, abortedTransactions: null }, options)
    expect(answer.batches.map(({ baseOffset }) => baseOffset)).toEqual([0, 2])
    expect(answer.nextOffset).toBe(3)
  })

  it('leaves out batches before the position, and a cut-off one at the end', () => {
    const { batches } = write(['.2', '.2', '.2'])
    const cut = batches[2].subarray(0, 40)
    const chunks = [Buffer.concat([batches[0], batches[1], cut])]
    const answer = readAnswer(place, { chunks, abortedTransactions: [] }, { position: 3, checkCrcs: true })
    expect(answer.batches.map(({ baseOffset }) => baseOffset)).toEqual([2])
    expect(answer.nextOffset).toBe(4)
  })

  it('names the batch whose checksum is wrong, if it is asked to look', () => {
    const { batches } = write(['.1', '.1'])
    batches[1][batches[1].length - 2] ^= 1
    const answer = { chunks: batches, abortedTransactions: [] }
    expect(() => readAnswer(place, answer, { position: 0, checkCrcs: true })).toThrow(CorruptBatchError)
    expect(() => readAnswer(place, answer, { position: 0, checkCrcs: true })).toThrow(/offset 1 of partition 2/)
    expect(readAnswer(place, answer, { position: 0, checkCrcs: false }).batches).toHaveLength(2)
  })

  it('names where bytes are no batch at all', () => {
    const answer = { chunks: [Buffer.alloc(100)], abortedTransactions: [] }
    expect(() => readAnswer(place, answer, { position: 7, checkCrcs: false })).toThrow(/offset 7 of partition 2/)
  })
})
