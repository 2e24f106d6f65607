import { describe, expect, it } from 'vitest'
import { batchOf, brokerFixture } from '../broker/broker-fixture.ts'
import { FileSystemError } from '../errors.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { ErrorCode } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { inProcessClient } from './in-process-fixture.ts'

describe('a full disk', () => {
  it('refuses batches whole, keeps what was acknowledged, and goes on when there is room', async () => {
    const world = new SimulatedWorld({ seed: 'full' })
    const machine = world.machine('a')
    const fixture = brokerFixture({ environment: machine.environment })
    const broker = await world.run(fixture.start())
    const client = inProcessClient(broker, machine.environment)
    await world.run(client.createTopic('clicks'))
    machine.disk.options = { capacityBytes: 60_000 }
    const acknowledged: string[] = []
    let refused: { errorCode: number; errorMessage: string | null } | undefined
    for (let count = 0; refused === undefined && count < 100; count++) {
      const value = `${count}-${'x'.repeat(2_000)}`
      const answer = await world.run(client.produce('clicks', batchOf([value])))
      if (answer.errorCode === ErrorCode.NONE) acknowledged.push(value)
      else refused = answer
    }
    expect(refused?.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(refused?.errorMessage).toContain('ENOSPC')
    expect(acknowledged.length).toBeGreaterThan(5)
    expect(await world.run(client.values('clicks'))).toEqual(acknowledged)

    machine.disk.options = {}
    expect((await world.run(client.produce('clicks', batchOf(['after'])))).errorCode).toBe(ErrorCode.NONE)
    await world.run(broker.close())
    const again = await world.run(fixture.start(machine.restart()))
    const client2 = inProcessClient(again, machine.environment)
    expect(await world.run(client2.values('clicks'))).toEqual([...acknowledged, 'after'])
  })

  it('makes no topic by half', async () => {
    const world = new SimulatedWorld({ seed: 'full of topics' })
    const machine = world.machine('a')
    const fixture = brokerFixture({ environment: machine.environment })
    const broker = await world.run(fixture.start())
    const client = inProcessClient(broker, machine.environment)
    machine.disk.options = {
      fault: (operation, path) => (operation === 'write' && path.endsWith('.log') ? 'ENOSPC' : undefined)
    }
    const { topics } = await world.run(
      client.send(messages.createTopics, { topics: [{ name: 'clicks', numPartitions: 3, replicationFactor: 1 }] })
    )
    expect(topics[0].errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    machine.disk.options = {}
    expect((await world.run(client.send(messages.metadata, { topics: null }))).topics).toEqual([])
    await world.run(client.createTopic('clicks', 2))
    await world.run(broker.close())
    const again = await world.run(fixture.start(machine.restart()))
    const after = await world.run(inProcessClient(again, machine.environment).send(messages.metadata, { topics: null }))
    expect(after.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['clicks', 2]])
  })

  it('is a typed error when a broker starts on it', async () => {
    const world = new SimulatedWorld({ seed: 'full at start' })
    const machine = world.machine('a', { capacityBytes: 100 })
    const fixture = brokerFixture({ environment: machine.environment })
    const started = world.run(fixture.start())
    await expect(started).rejects.toThrow(FileSystemError)
    await expect(started).rejects.toThrow('free some space')
    machine.disk.options = {}
    await world.run(fixture.start(machine.restart()).then((broker) => broker.close()))
  })
})

describe('a disk that fails a sync', () => {
  it('stops the log directory: nothing is acknowledged any more, and a restart has what was', async () => {
    const world = new SimulatedWorld({ seed: 'sync fails' })
    const machine = world.machine('a')
    const fixture = brokerFixture({ environment: machine.environment })
    const broker = await world.run(fixture.start())
    const client = inProcessClient(broker, machine.environment)
    await world.run(client.createTopic('clicks'))
    await world.run(client.produce('clicks', batchOf(['safe'])))
    machine.disk.options = { fault: (operation) => (operation === 'sync' ? 'EIO' : undefined) }
    expect((await world.run(client.produce('clicks', batchOf(['lost'])))).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    // A later sync that works proves nothing about the failed one.
    machine.disk.options = {}
    expect((await world.run(client.produce('clicks', batchOf(['late'])))).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    await world.run(broker.close().catch(() => undefined))
    expect(machine.environment.files.exists('/data/.kafka_cleanshutdown')).toBe(false)
    const environment = machine.restart()
    const again = inProcessClient(await world.run(fixture.start(environment)), environment)
    expect((await world.run(again.values('clicks')))[0]).toBe('safe')
  })
})
