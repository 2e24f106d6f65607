import { afterEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../../environment/memory-environment.ts'
import { errorName } from '../../wire/errors.ts'
import * as messages from '../../wire/messages/index.ts'
import { CoordinationFixture, type FixtureOptions } from './coordination-fixture.ts'

const started: CoordinationFixture[] = []

async function start(options: FixtureOptions = {}): Promise<CoordinationFixture> {
  const fixture = await CoordinationFixture.start(options)
  started.push(fixture)
  return fixture
}

afterEach(async () => {
  for (const fixture of started.splice(0)) {
    await fixture.broker.close()
    expect(fixture.events).toEqual([])
  }
})

describe('transactions of the newer protocol', () => {
  it('commit data and offsets together', async () => {
    const broker = await start()
    const producer = await broker.init('tx')
    expect(await broker.produce(producer, 1, 'a')).toBe('NONE')
    expect(await broker.commitOffset(producer, 5)).toBe('NONE')
    expect(await broker.ends(1)).toEqual({ stable: 0, end: 1 })
    expect(await broker.offset()).toBe('unstable')
    expect(await broker.end(producer, true)).toBe('NONE')
    expect(producer.producerEpoch).toBe(1)
    // The next init waits for the markers.
    await broker.init('tx')
    expect(await broker.ends(1)).toEqual({ stable: 2, end: 2 })
    expect(await broker.offset()).toBe(5)
  })

  it('abort both', async () => {
    const broker = await start()
    const producer = await broker.init('tx')
    await broker.produce(producer, 1, 'a')
    await broker.commitOffset(producer, 5)
    expect(await broker.end(producer, false)).toBe('NONE')
    await broker.init('tx')
    expect(await broker.ends(1)).toEqual({ stable: 2, end: 2 })
    expect(await broker.offset()).toBe(-1)
  })

  it('follow each other without being sent away', async () => {
    const broker = await start()
    const producer = await broker.init('tx')
    for (let round = 0; round < 20; round += 1) {
      expect(await broker.produce(producer, round % 4, 'a')).toBe('NONE')
      expect(await broker.commitOffset(producer, round)).toBe('NONE')
      expect(await broker.end(producer, round % 3 !== 0)).toBe('NONE')
    }
    await broker.init('tx')
    expect(await broker.offset()).toBe(17 + 2)
  })

  it('fence the producer that had the id before, wherever it writes', async () => {
    const broker = await start()
    const fenced = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH']
    const zombie = await broker.init('tx')
    await broker.produce(zombie, 1, 'zombie')
    await broker.commitOffset(zombie, 9)
    const producer = await broker.init('tx')
    expect(producer.producerEpoch).toBe(2)
    expect(await broker.ends(1)).toEqual({ stable: 2, end: 2 })
    expect(fenced).toContain(await broker.produce(zombie, 1, 'late'))
    expect(fenced).toContain(await broker.produce(zombie, 2, 'late'))
    expect(await broker.commitOffset(zombie, 9)).toBe('PRODUCER_FENCED')
    expect(await broker.end(zombie, true)).toBe('PRODUCER_FENCED')
    expect(await broker.offset()).toBe(-1)
  })

  it('are ended when they take too long', async () => {
    const broker = await start({ config: { transactionTimeoutScanIntervalMs: 5 } })
    const producer = await broker.init('tx', { timeoutMs: 1 })
    await broker.produce(producer, 1, 'a')
    await expect.poll(async () => (await broker.ends(1)).stable).toBe(2)
    expect(await broker.end(producer, true)).toBe('PRODUCER_FENCED')
  })

  it('may not be as long as they like', async () => {
    const broker = await start()
    await expect(broker.init('tx', { timeoutMs: 15 * 60_000 + 1 })).rejects.toThrow('INVALID_TRANSACTION_TIMEOUT')
    await expect(broker.init('tx', { timeoutMs: 0 })).rejects.toThrow('INVALID_TRANSACTION_TIMEOUT')
  })

  it('forget a transactional id that was idle for long', async () => {
    const config = { transactionTimeoutScanIntervalMs: 5, transactionalIdExpirationMs: 1 }
    const broker = await start({ config })
    const producer = await broker.init('tx')
    await expect.poll(() => broker.end(producer, false)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })
})

describe('transactions of the older protocol', () => {
  const add = async (
    broker: CoordinationFixture,
    producer: { producerId: number; producerEpoch: number },
    partitions: number[]
  ) => {
    const answer = await broker.ask(
      messages.addPartitionsToTxn,
      {
        v3AndBelowTransactionalId: 'tx',
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: [{ name: 'data', partitions }]
      },
      { version: 3 }
    )
    return answer.resultsByTopicV3AndBelow[0].resultsByPartition.map((result) => errorName(result.partitionErrorCode))
  }

  it('commit data and offsets that were added first', async () => {
    const broker = await start()
    const producer = await broker.init('tx')
    expect(await broker.produce(producer, 1, 'a', 11)).toBe('TRANSACTION_ABORTABLE')
    expect(await broker.commitOffset(producer, 5, { version: 3 })).toBe('INVALID_TXN_STATE')
    expect(await add(broker, producer, [1, 9])).toEqual(['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect(await add(broker, producer, [1])).toEqual(['NONE'])
    expect(await broker.produce(producer, 1, 'a', 11)).toBe('NONE')
    const { producerId, producerEpoch } = producer
    const request = { transactionalId: 'tx', producerId, producerEpoch, groupId: 'group' }
    expect((await broker.ask(messages.addOffsetsToTxn, request)).errorCode).toBe(0)
    expect(await broker.commitOffset(producer, 5, { version: 3 })).toBe('NONE')
    expect(await broker.end(producer, true, 4)).toBe('NONE')
    expect(await broker.end(producer, true, 4)).toBe('NONE')
    await broker.init('tx')
    expect(await broker.ends(1)).toEqual({ stable: 2, end: 2 })
    expect(await broker.offset()).toBe(5)
  })
})

describe('after a restart', () => {
  it('the open transaction of a producer of this process is aborted at once', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    const producer = await before.init('tx')
    await before.produce(producer, 1, 'a')
    await before.commitOffset(producer, 5)
    await before.broker.close()
    const after = await start({ environment })
    expect(await after.ends(1)).toEqual({ stable: 2, end: 2 })
    expect(await after.offset()).toBe(-1)
    expect(await after.end(producer, true)).toBe('PRODUCER_FENCED')
    expect((await after.init('tx')).producerEpoch).toBe(2)
  })

  it('the open transaction of a producer of another process goes on', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    const producer = await before.init('tx', { inProcess: false })
    await before.produce(producer, 1, 'a')
    await before.commitOffset(producer, 5)
    await before.broker.close()
    const after = await start({ environment })
    expect(await after.ends(1)).toEqual({ stable: 0, end: 1 })
    expect(await after.offset()).toBe('unstable')
    expect(await after.produce(producer, 1, 'b')).toBe('NONE')
    expect(await after.end(producer, true)).toBe('NONE')
    await after.init('tx')
    expect(await after.ends(1)).toEqual({ stable: 3, end: 3 })
    expect(await after.offset()).toBe(5)
  })

  it('producer ids are not handed out again', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    const first = await before.init('a')
    await before.broker.close()
    const after = await start({ environment })
    const second = await after.init('b')
    expect(second.producerId).toBeGreaterThan(first.producerId)
  })
})
