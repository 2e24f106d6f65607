import { defineApi } from '../api.ts'
import { array, int8, int16, int32, int64, records, string, struct, structField, uuid } from '../schema.ts'

/** Fetch (key 1): record batches from an offset on. Topics by name up to version 12, by id from 13 (KIP-516). */
export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  minVersion: 4,
  maxVersion: 17,
  flexibleFrom: 12,
  request: struct({
    clusterId: string('12+', { nullable: '12+', tag: 0, default: null }),
    replicaId: int32('0-14', { default: -1 }),
    replicaState: structField(
      '15+',
      struct({
        replicaId: int32('15+', { default: -1 }),
        replicaEpoch: int64('15+', { default: -1 })
      }),
      { tag: 1 }
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('3+', { default: 0x7fff_ffff }),
    isolationLevel: int8('4+'),
    sessionId: int32('7+'),
    sessionEpoch: int32('7+', { default: -1 }),
    topics: array(
      '0+',
      struct({
        topic: string('0-12'),
        topicId: uuid('13+'),
        partitions: array(
          '0+',
          struct({
            partition: int32('0+'),
            currentLeaderEpoch: int32('9+', { default: -1 }),
            fetchOffset: int64('0+'),
            lastFetchedEpoch: int32('12+', { default: -1 }),
            logStartOffset: int64('5+', { default: -1 }),
            partitionMaxBytes: int32('0+'),
            replicaDirectoryId: uuid('17+', { tag: 0 })
          })
        )
      })
    ),
    forgottenTopicsData: array(
      '7+',
      struct({
        topic: string('7-12'),
        topicId: uuid('13+'),
        partitions: array('7+', int32())
      })
    ),
    rackId: string('11+')
  }),
  response: struct({
    throttleTimeMs: int32('1+'),
    errorCode: int16('7+'),
    sessionId: int32('7+'),
    responses: array(
      '0+',
      struct({
        topic: string('0-12'),
        topicId: uuid('13+'),
        partitions: array(
          '0+',
          struct({
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            highWatermark: int64('0+'),
            lastStableOffset: int64('4+', { default: -1 }),
            logStartOffset: int64('5+', { default: -1 }),
            divergingEpoch: structField(
              '12+',
              struct({
                epoch: int32('12+', { default: -1 }),
                endOffset: int64('12+', { default: -1 })
              }),
              { tag: 0 }
            ),
            currentLeader: structField(
              '12+',
              struct({
                leaderId: int32('12+', { default: -1 }),
                leaderEpoch: int32('12+', { default: -1 })
              }),
              { tag: 1 }
            ),
            snapshotId: structField(
              '12+',
              struct({
                endOffset: int64('0+', { default: -1 }),
                epoch: int32('0+', { default: -1 })
              }),
              { tag: 2 }
            ),
            abortedTransactions: array(
              '4+',
              struct({
                producerId: int64('4+'),
                firstOffset: int64('4+')
              }),
              { nullable: '4+' }
            ),
            preferredReadReplica: int32('11+', { default: -1 }),
            records: records('0+', { nullable: '0+' })
          })
        )
      })
    ),
    nodeEndpoints: array(
      '16+',
      struct({
        nodeId: int32('16+'),
        host: string('16+'),
        port: int32('16+'),
        rack: string('16+', { nullable: '16+', default: null })
      }),
      { tag: 0 }
    )
  })
})
