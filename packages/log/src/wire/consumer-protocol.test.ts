import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecodeError } from './codec.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts'

const owned = [{ topic: 'clicks', partitions: [0, 3] }]
const subscription = {
  topics: ['clicks', 'views'],
  userData: Buffer.from('sticky'),
  ownedPartitions: owned,
  generationId: 5,
  rackId: 'r1'
}

describe('the consumer protocol', () => {
  it('has the bytes that other clients write', () => {
    expect(encodeSubscription({ ...subscription, topics: ['a'], userData: null }, 1).toString('hex')).toBe(
      '0001' + '00000001' + '000161' + 'ffffffff' + '00000001' + '0006636c69636b73' + '00000002' + '0000000000000003'
    )
    expect(encodeAssignment({ assignedPartitions: owned, userData: Buffer.from([7]) }, 0).toString('hex')).toBe(
      '0000' + '00000001' + '0006636c69636b73' + '00000002' + '0000000000000003' + '0000000107'
    )
  })

  it('carries in each version what that version has', () => {
    expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription)
    expect(decodeSubscription(encodeSubscription(subscription, 2))).toEqual({ ...subscription, rackId: null })
    expect(decodeSubscription(encodeSubscription(subscription, 0))).toEqual({
      ...subscription,
      ownedPartitions: [],
      generationId: -1,
      rackId: null
    })
    const assignment = { assignedPartitions: owned, userData: Buffer.from('x') }
    for (const version of [0, 1, 2, 3])
      expect(decodeAssignment(encodeAssignment(assignment, version))).toEqual(assignment)
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ assignedPartitions: [], userData: null })
  })

  it('reads a newer version as far as it knows', () => {
    const newer = Buffer.concat([encodeSubscription(subscription), Buffer.from([1, 2, 3])])
    newer.writeInt16BE(9, 0)
    expect(decodeSubscription(newer)).toEqual(subscription)
  })

  it('answers any bytes with a value or a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const decode of [decodeSubscription, decodeAssignment]) {
          try {
            decode(Buffer.from(bytes))
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError)
          }
        }
      })
    )
  })
})
