import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptionError } from '../errors.ts'
import {
  decodeGroupValue,
  decodeOffsetsTopicKey,
  decodeOffsetValue,
  encodeGroupKey,
  encodeGroupValue,
  encodeOffsetKey,
  encodeOffsetValue
} from './offset-records.ts'

describe('records of __consumer_offsets', () => {
  it('committed offsets come back as they were', () => {
    const offsets = fc.record({
      offset: fc.nat(Number.MAX_SAFE_INTEGER),
      leaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
      metadata: fc.string(),
      commitTimestampMs: fc.nat(Number.MAX_SAFE_INTEGER),
      expireTimestampMs: fc.constant(-1),
      recordOffset: fc.constant(12)
    })
    const keys = fc.record({ groupId: fc.string(), topic: fc.string(), partition: fc.nat(2 ** 31 - 1) })
    fc.assert(
      fc.property(keys, offsets, (key, committed) => {
        expect(decodeOffsetsTopicKey(encodeOffsetKey(key))).toEqual({ kind: 'offset', key })
        expect(decodeOffsetValue(encodeOffsetValue(committed), 12)).toEqual(committed)
      })
    )
  })

  it('have the bytes of Kafka', () => {
    expect(encodeOffsetKey({ groupId: 'g', topic: 't', partition: 2 }).toString('hex')).toBe(
      ['0001', '000167', '000174', '00000002'].join('')
    )
    const value = encodeOffsetValue({
      offset: 5,
      leaderEpoch: 1,
      metadata: 'm',
      commitTimestampMs: 9,
      expireTimestampMs: -1
    })
    expect(value.toString('hex')).toBe(['0003', '0000000000000005', '00000001', '00016d', '0000000000000009'].join(''))
    expect(encodeGroupKey('g').toString('hex')).toBe(['0002', '000167'].join(''))
  })

  it('keep the time at which an old client wants its commit to lapse, in version 1', () => {
    const committed = { offset: 5, leaderEpoch: 1, metadata: '', commitTimestampMs: 9, expireTimestampMs: 20 }
    const value = encodeOffsetValue(committed)
    expect(value.readInt16BE(0)).toBe(1)
    expect(decodeOffsetValue(value, 0)).toEqual({ ...committed, leaderEpoch: -1, recordOffset: 0 })
  })

  it('reads the flexible version 4', () => {
    const value = Buffer.from(
      ['0004', '0000000000000005', '00000001', '026d', '0000000000000009', '00'].join(''),
      'hex'
    )
    expect(decodeOffsetValue(value, 3)).toMatchObject({
      offset: 5,
      leaderEpoch: 1,
      metadata: 'm',
      commitTimestampMs: 9
    })
  })

  it('groups come back as they were', () => {
    const metadata = {
      protocolType: 'consumer',
      generation: 3,
      protocol: 'range',
      leader: 'm1',
      currentStateTimestamp: 77,
      members: [
        {
          memberId: 'm1',
          groupInstanceId: null,
          clientId: 'c',
          clientHost: '/127.0.0.1',
          rebalanceTimeout: 300_000,
          sessionTimeout: 45_000,
          subscription: Buffer.from('s'),
          assignment: Buffer.from('a')
        }
      ]
    }
    expect(decodeGroupValue(encodeGroupValue(metadata))).toEqual(metadata)
    expect(decodeOffsetsTopicKey(encodeGroupKey('g'))).toEqual({ kind: 'group', groupId: 'g' })
  })

  it('names keys of the newer group protocol without reading them', () => {
    expect(decodeOffsetsTopicKey(Buffer.from('0005ffff', 'hex'))).toEqual({ kind: 'other', version: 5 })
  })

  it('names a record that is cut off', () => {
    expect(() => decodeOffsetsTopicKey(Buffer.alloc(1))).toThrow(CorruptionError)
    expect(() => decodeGroupValue(Buffer.alloc(0))).toThrow(CorruptionError)
  })
})
