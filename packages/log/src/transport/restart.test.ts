import { describe, expect, it } from 'vitest'
import { batchOf, brokerFixture } from '../broker/broker-fixture.ts'
import { writePartitionMetadata } from '../storage/checkpoint/partition-metadata.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { decodeBatches } from '../wire/batch/record-batch.ts'
import { ErrorCode } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { inProcessClient } from './in-process-fixture.ts'

describe('a broker that starts again', () => {
  it('has its topics, ids, configurations and data, and a new leader epoch', async () => {
    const fixture = brokerFixture()
    const first = await fixture.start()
    const before = inProcessClient(first, fixture.environment)
    const topicId = await before.createTopic('clicks', 3, { 'retention.ms': '-1' })
    await before.produce('clicks', batchOf(['a', 'b']), { partition: 2 })
    await first.close()

    const second = await fixture.start()
    const client = inProcessClient(second, fixture.environment)
    expect(second.clusterId).toBe(first.clusterId)
    const { topics } = await client.send(messages.metadata, { topics: null })
    expect(topics[0]).toMatchObject({ name: 'clicks', topicId })
    expect(topics[0].partitions.map(({ leaderEpoch }) => leaderEpoch)).toEqual([1, 1, 1])
    expect(await client.values('clicks', 2)).toEqual(['a', 'b'])
    const { results } = await client.send(messages.describeConfigs, {
      resources: [{ resourceType: 2, resourceName: 'clicks', configurationKeys: ['retention.ms'] }]
    })
    expect(results[0].configs[0].value).toBe('-1')
    expect((await client.produce('clicks', batchOf(['c']), { partition: 2 })).baseOffset).toBe(2)
    const fetched = await client.fetch({ topic: 'clicks', partition: 2, offset: 0 })
    expect((fetched.records ?? []).flatMap(decodeBatches).map(({ leaderEpoch }) => leaderEpoch)).toEqual([0, 1])
    expect(fixture.events).toEqual([])
  })

  it('fences who still believes in the old epoch', async () => {
    const fixture = brokerFixture()
    const first = await fixture.start()
    await inProcessClient(first, fixture.environment).createTopic('clicks')
    await first.close()
    const client = inProcessClient(await fixture.start(), fixture.environment)
    const { topics } = await client.send(messages.offsetForLeaderEpoch, {
      topics: [{ topic: 'clicks', partitions: [{ partition: 0, currentLeaderEpoch: 0, leaderEpoch: 0 }] }]
    })
    expect(topics[0].partitions[0].errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
  })

  it('never hands out a producer id again', async () => {
    const fixture = brokerFixture()
    const seen = new Set<number>()
    for (let run = 0; run < 3; run++) {
      const broker = await fixture.start()
      const client = inProcessClient(broker, fixture.environment)
      for (let count = 0; count < 3; count++) {
        const { producerId } = await client.send(messages.initProducerId, { transactionalId: null })
        expect(seen.has(producerId)).toBe(false)
        seen.add(producerId)
      }
      await broker.close()
    }
  })

  it('leaves the marker of a clean shutdown and the checkpoints, and takes the marker away at its start', async () => {
    const fixture = brokerFixture()
    const { files } = fixture.environment
    const marker = `${fixture.directory}/.kafka_cleanshutdown`
    const broker = await fixture.start()
    const client = inProcessClient(broker, fixture.environment)
    await client.createTopic('clicks')
    await client.produce('clicks', batchOf(['a', 'b', 'c']))
    await broker.close()
    expect(files.exists(marker)).toBe(true)
    expect(files.readFile(`${fixture.directory}/recovery-point-offset-checkpoint`).toString()).toBe(
      '0\n1\nclicks 0 3\n'
    )
    expect(files.readFile(`${fixture.directory}/replication-offset-checkpoint`).toString()).toBe('0\n1\nclicks 0 3\n')
    const again = await fixture.start()
    expect(files.exists(marker)).toBe(false)
    await again.close()
  })

  it('removes what was left of a topic whose deletion was cut off, and keeps what it does not know aside', async () => {
    const world = new SimulatedWorld({ seed: 'cut-off deletion' })
    const machine = world.machine('a')
    const fixture = brokerFixture({ environment: machine.environment })
    await world.run(
      (async () => {
        const broker = await fixture.start()
        const client = inProcessClient(broker, machine.environment)
        await client.createTopic('clicks')
        await client.createTopic('kept')
        await client.produce('clicks', batchOf(['a']))
        await client.produce('kept', batchOf(['a']))
        machine.disk.options = {
          fault: (operation, path) => (operation === 'rename' && path.includes('clicks-0') ? 'EIO' : undefined)
        }
        await client.send(messages.deleteTopics, { topics: [{ name: 'clicks' }] }).catch(() => undefined)
      })()
    )
    machine.disk.options = {}
    const environment = machine.restart()
    const { files } = environment
    const ghost = `${fixture.directory}/ghost-0`
    files.makeDirectory(ghost)
    await world.run(writePartitionMetadata(files, ghost, 'n-C-LFHzTMSBNonSrKPoUw'))
    const names = () => files.list(fixture.directory).map(({ name }) => name)
    expect(names()).toContain('clicks-0')
    const broker = await world.run(fixture.start(environment))
    expect(names()).not.toContain('clicks-0')
    expect(names()).not.toContain('ghost-0')
    expect(names().some((name) => /^ghost-0\..*-stray$/.test(name))).toBe(true)
    expect(fixture.events.map(({ kind }) => kind)).toContain('stray-directory')
    const client = inProcessClient(broker, environment)
    expect(await world.run(client.values('kept'))).toEqual(['a'])
  })
})

describe('a broker with a damaged segment', () => {
  it('tells who reads there, serves the other partitions, and reports it', async () => {
    const fixture = brokerFixture()
    const { files } = fixture.environment
    const first = await fixture.start()
    const before = inProcessClient(first, fixture.environment)
    await before.createTopic('clicks', 2, { 'retention.ms': '-1' })
    for (const partition of [0, 0, 1]) await before.produce('clicks', batchOf(['a', 'b']), { partition })
    await first.close()
    const path = `${fixture.directory}/clicks-0/00000000000000000000.log`
    const file = files.open(path, 'write')
    file.write([Buffer.from([0xff])], 70)
    file.close()

    const client = inProcessClient(await fixture.start(), fixture.environment)
    const damaged = await client.fetch({ topic: 'clicks', partition: 0, offset: 0, maxWaitMs: 10_000 })
    expect(damaged.errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(await client.values('clicks', 1)).toEqual(['a', 'b'])
    const reports = fixture.events.flatMap((event) => (event.kind === 'damage' ? event.report : []))
    expect(reports.map(({ path: where }) => where)).toContain(path)
  })
})

describe('a broker whose machine loses power', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('has every acknowledged record, seed %i', async (seed) => {
    const world = new SimulatedWorld({ seed })
    const machine = world.machine('a')
    const fixture = brokerFixture({ environment: machine.environment })
    const acknowledged: string[] = []
    const produceForever = async (): Promise<void> => {
      const client = inProcessClient(await fixture.start(), machine.environment)
      await client.createTopic('clicks', 1)
      for (let count = 0; ; count++) {
        const values = [`${count}-a`, `${count}-b`]
        const { errorCode } = await client.produce('clicks', batchOf(values))
        if (errorCode === ErrorCode.NONE) acknowledged.push(...values)
      }
    }
    produceForever().catch(() => undefined)
    await world.runFor(20 + (world.random.uint32() % 100))
    machine.powerCut()
    const environment = machine.restart()
    const broker = await world.run(fixture.start(environment))
    const client = inProcessClient(broker, environment)
    const { topics } = await world.run(client.send(messages.metadata, { topics: null }))
    if (topics.length === 0) {
      expect(acknowledged).toEqual([])
      return
    }
    const values = await world.run(client.values('clicks'))
    expect(values.slice(0, acknowledged.length)).toEqual(acknowledged)
    // What was not acknowledged may be there, whole batches of it.
    expect(values.length % 2).toBe(0)
    expect((await world.run(client.produce('clicks', batchOf(['more'])))).errorCode).toBe(ErrorCode.NONE)
    await world.run(broker.close())
  })
})
