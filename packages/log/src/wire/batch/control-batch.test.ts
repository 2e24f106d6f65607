import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../schema.ts'
import { RecordBatchBuilder } from './batch-builder.ts'
import {
  ControlType,
  controlRecord,
  encodeControlBatch,
  encodeEndTransactionMarker,
  encodeLeaderChange,
  endTransactionMarker,
  leaderChange
} from './control-batch.ts'
import { RecordBatch, validateBatch } from './record-batch.ts'

const owner = { producerId: 12, producerEpoch: 3, timestampMs: 5000 }

describe('a transaction’s end marker', () => {
  it.each([true, false])('says commit: %s', (commit) => {
    const encoded = encodeEndTransactionMarker({ commit, coordinatorEpoch: 9 }, { ...owner, baseOffset: 77 })
    const batch = validateBatch(encoded)
    expect(batch).toMatchObject({ isControl: true, isTransactional: true, recordCount: 1, baseOffset: 77 })
    expect(batch).toMatchObject({ producerId: 12, producerEpoch: 3, baseSequence: -1, maxTimestamp: 5000 })
    const record = controlRecord(batch)
    expect(record?.type).toBe(commit ? ControlType.commit : ControlType.abort)
    expect(record && endTransactionMarker(record)).toEqual({ commit, coordinatorEpoch: 9 })
    expect(record && leaderChange(record)).toBeUndefined()
  })

  it('has the bytes that Kafka writes', () => {
    const encoded = encodeEndTransactionMarker({ commit: true, coordinatorEpoch: 9 }, owner)
    // size 16; attributes; deltas; key: version 0, type 1; value: version 0, epoch 9; no headers
    expect(encoded.toString('hex', 61)).toBe(
      '20' + '00' + '00' + '00' + '08' + '00000001' + '0c' + '000000000009' + '00'
    )
  })
})

describe('a control batch', () => {
  it('carries a leader change in both versions', () => {
    for (const version of [0, 1]) {
      const voters = [{ voterId: 1, voterDirectoryId: version === 0 ? ZERO_UUID : 'AAECAwQFBgcICQoLDA0ODw' }]
      const change = { version, leaderId: 1, voters, grantingVoters: voters }
      const record = controlRecord(validateBatch(encodeLeaderChange(change, { timestampMs: 1, leaderEpoch: 4 })))
      expect(record?.type).toBe(ControlType.leaderChange)
      expect(record && leaderChange(record)).toEqual(change)
      expect(record && endTransactionMarker(record)).toBeUndefined()
    }
  })

  it('carries any other type as bytes', () => {
    const value = Buffer.from([1, 2, 3])
    const encoded = encodeControlBatch({ type: ControlType.kraftVersion, value }, { timestampMs: 1 })
    expect(controlRecord(new RecordBatch(encoded))).toEqual({ type: 5, value })
  })

  it('may be emptied by compaction, and is never data', () => {
    expect(controlRecord(new RecordBatch(new RecordBatchBuilder().build({ control: true })))).toBeUndefined()
    expect(() => controlRecord(new RecordBatch(new RecordBatchBuilder().build()))).toThrow(/not a control batch/)
    const builder = new RecordBatchBuilder()
    builder.append(Buffer.from('k'), null, 1)
    expect(() => controlRecord(new RecordBatch(builder.build({ control: true })))).toThrow(/key of 1 bytes/)
  })
})
