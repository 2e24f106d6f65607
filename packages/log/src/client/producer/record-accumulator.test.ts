import { describe, expect, it } from 'vitest'
import { produce } from '../../wire/messages/index.ts'
import { pause } from '../backoff.ts'
import { RecordTooLargeError } from '../errors.ts'
import { scriptedCluster } from '../scripted-transport-fixture.ts'
import { Producer } from './producer.ts'
import { producerConfig } from './producer-options.ts'
import { recordSizeBytes } from './record-accumulator.ts'

describe('batches of a producer', () => {
  it('are full ones at once, and the rest at flush', async () => {
    const { transport, context } = scriptedCluster()
    const producer = new Producer(context, { batchBytes: 1_000, lingerMs: 60_000 })
    for (let index = 0; index < 25; index++) producer.enqueue('a', 0, null, Buffer.alloc(100), 1)
    await producer.flush()
    const counts = transport
      .requests(produce)
      .flatMap(({ topicData }) =>
        topicData.flatMap(({ partitionData }) => partitionData.map(({ records }) => records?.[0].readInt32BE(57)))
      )
    expect(counts).toEqual([6, 6, 6, 6, 1])
    expect(producer.bufferedBytes).toBe(0)
  })

  it('of several partitions share a request, one a partition', async () => {
    const { transport, context } = scriptedCluster()
    const producer = new Producer(context, { batchBytes: 1_000 })
    for (let index = 0; index < 24; index++) producer.enqueue('a', index % 3, null, Buffer.alloc(100), 1)
    await producer.flush()
    const partitions = transport
      .requests(produce)
      .map(({ topicData }) => topicData.flatMap(({ partitionData }) => partitionData.map(({ index }) => index).sort()))
    expect(partitions).toEqual([
      [0, 1, 2],
      [0, 1, 2]
    ])
  })

  it('are sent by themselves after lingerMs', async () => {
    const { transport, context } = scriptedCluster()
    const producer = new Producer(context, { lingerMs: 15 })
    const startMs = context.environment.clock.monotonicMs()
    const sends = [0, 1, 2].map((index) =>
      producer.send({ topic: 'a', partition: 0, key: null, value: Buffer.from(`${index}`) })
    )
    expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual([0, 1, 2])
    expect(context.environment.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(14)
    expect(transport.requests(produce)).toHaveLength(1)
  })

  it('of one turn of the event loop go together when nothing lingers', async () => {
    const { transport, context } = scriptedCluster()
    const producer = new Producer(context)
    for (let index = 0; index < 10; index++) producer.enqueue('a', 0, null, null, 1)
    await producer.flush()
    expect(transport.requests(produce)).toHaveLength(1)
  })

  it('do not go beyond maxInFlight requests to a broker', async () => {
    const { transport, context } = scriptedCluster()
    let underWay = 0
    let most = 0
    transport.on(produce, async ({ topicData }) => {
      most = Math.max(most, ++underWay)
      await pause(context.environment, 1)
      underWay--
      return {
        responses: topicData.map(({ name, partitionData }) => ({
          name,
          partitionResponses: partitionData.map(({ index }) => ({ index }))
        }))
      }
    })
    const producer = new Producer(context, { batchBytes: 200, maxInFlight: 3 })
    for (let index = 0; index < 40; index++) producer.enqueue('a', 0, null, Buffer.alloc(100), 1)
    await producer.flush()
    expect(most).toBe(3)
  })
})

describe('the room that a record needs', () => {
  it('is never less than its encoding takes', () => {
    const headers = [{ key: 'ключ', value: Buffer.alloc(10) }]
    expect(recordSizeBytes(null, null)).toBeGreaterThan(40)
    expect(recordSizeBytes(Buffer.alloc(3), Buffer.alloc(4))).toBe(recordSizeBytes(null, null) + 7)
    expect(recordSizeBytes(null, null, headers)).toBeGreaterThan(recordSizeBytes(null, null) + 18)
  })

  it('must not exceed maxRequestBytes', () => {
    const { context } = scriptedCluster()
    const producer = new Producer(context, { batchBytes: 500, maxRequestBytes: 600 })
    expect(() => producer.enqueue('a', 0, null, Buffer.alloc(600), 1)).toThrow(RecordTooLargeError)
    expect(() => producer.enqueue('a', 0, null, Buffer.alloc(500), 1)).not.toThrow()
  })
})

describe('options of a producer', () => {
  it.each([
    [{ transactionalId: '' }, 'transactionalId'],
    [{ transactionalId: 'x', idempotent: false }, 'idempotent'],
    [{ acks: 1 }, 'acks'],
    [{ maxInFlight: 6 }, 'maxInFlight'],
    [{ lingerMs: -1 }, 'lingerMs'],
    [{ batchBytes: 0 }, 'batchBytes'],
    [{ batchBytes: 10, maxRequestBytes: 5 }, 'maxRequestBytes'],
    [{ bufferBytes: 1 }, 'bufferBytes'],
    [{ deliveryTimeoutMs: 0 }, 'deliveryTimeoutMs']
  ] as const)('are refused when out of range: %j', (options, named) => {
    expect(() => producerConfig(options)).toThrow(named)
  })
})
