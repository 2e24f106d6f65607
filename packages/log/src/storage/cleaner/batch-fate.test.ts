import { describe, expect, it } from 'vitest'
import { type BatchFacts, type BatchFate, batchFate, keepsRecord, type RecordFacts } from './batch-fate.ts'

const round = { endOffset: 100, nowMs: 5_000 }
const PAST = 5_000
const FUTURE = 5_001

const data: BatchFacts = {
  baseOffset: 10,
  isControl: false,
  isTransactional: false,
  recordCount: 3,
  deleteHorizonMs: undefined,
  isAborted: false,
  isLastOfProducer: false,
  endsSeenData: false
}
const transactional = { ...data, isTransactional: true }
const marker = { ...transactional, isControl: true, recordCount: 1 }

/** What is read, what becomes of it: which records stay, whether the header does without them, whether it begins to wait. */
const batches: readonly (readonly [string, BatchFacts, BatchFate['records'], boolean, BatchFate['beginsHorizon']])[] = [
  ['data', data, 'newest', false, 'with tombstones'],
  ['data of a transaction', transactional, 'newest', false, 'with tombstones'],
  ['last data of a producer', { ...data, isLastOfProducer: true }, 'newest', true, 'with tombstones'],
  ['aborted data', { ...transactional, isAborted: true }, 'none', false, 'no'],
  [
    'aborted last data of a producer',
    { ...transactional, isAborted: true, isLastOfProducer: true },
    'none',
    true,
    'no'
  ],
  ['an empty header', { ...data, recordCount: 0 }, 'none', false, 'no'],
  ['an empty header of a producer', { ...data, recordCount: 0, isLastOfProducer: true }, 'none', true, 'no'],
  ['data at the end of the round', { ...data, baseOffset: 100 }, 'all', true, 'no'],
  ['aborted data beyond the end', { ...transactional, baseOffset: 101, isAborted: true }, 'all', true, 'no'],
  ['a marker with data before it', { ...marker, endsSeenData: true }, 'all', true, 'no'],
  ['the same after its horizon', { ...marker, endsSeenData: true, deleteHorizonMs: PAST }, 'all', true, 'no'],
  ['the last marker of a producer', { ...marker, isLastOfProducer: true, deleteHorizonMs: PAST }, 'all', true, 'no'],
  ['a marker without data', marker, 'all', true, 'yes'],
  ['the same while it waits', { ...marker, deleteHorizonMs: FUTURE }, 'all', true, 'no'],
  ['the same after its horizon', { ...marker, deleteHorizonMs: PAST }, 'none', false, 'no'],
  ['a marker beyond the end', { ...marker, baseOffset: 100, deleteHorizonMs: PAST }, 'all', true, 'no'],
  ['an empty marker', { ...marker, recordCount: 0 }, 'none', false, 'no'],
  ['a leader change', { ...marker, isTransactional: false }, 'all', true, 'no']
]

const value: RecordFacts = { offset: 50, hasKey: true, isTombstone: false, newestOffset: 50 }
const tombstone = { ...value, isTombstone: true }

/** What is read, whether its horizon has passed, whether it stays. */
const records: readonly (readonly [string, RecordFacts, boolean, boolean])[] = [
  ['the newest value', value, false, true],
  ['the newest value in a batch whose horizon has passed', value, true, true],
  ['a value whose key was not met again', { ...value, newestOffset: -1 }, false, true],
  ['an older value', { ...value, newestOffset: 51 }, false, false],
  ['a record without a key', { ...value, hasKey: false, newestOffset: -1 }, false, false],
  ['the newest tombstone', tombstone, false, true],
  ['the newest tombstone after its horizon', tombstone, true, false],
  ['a tombstone whose key was not met again', { ...tombstone, newestOffset: -1 }, false, true],
  ['the same after its horizon', { ...tombstone, newestOffset: -1 }, true, false],
  ['an older tombstone', { ...tombstone, newestOffset: 51 }, false, false]
]

describe('compaction', () => {
  it.each(batches)('of a batch: %s', (_, facts, kept, keepsHeader, beginsHorizon) => {
    expect(batchFate(facts, round)).toEqual({ records: kept, keepsHeader, beginsHorizon })
  })

  it.each(records)('of a record: %s', (_, facts, tombstonesGo, stays) => {
    expect(keepsRecord(facts, tombstonesGo)).toBe(stays)
  })
})
