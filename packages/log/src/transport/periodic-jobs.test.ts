import { describe, expect, it } from 'vitest'
import { batchOf, brokerFixture } from '../broker/broker-fixture.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { ErrorCode } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { inProcessClient } from './in-process-fixture.ts'

async function running() {
  const world = new SimulatedWorld({ seed: 5 })
  const machine = world.machine('a')
  const fixture = brokerFixture({ environment: machine.environment })
  const broker = await world.run(fixture.start())
  return { world, machine, fixture, broker, client: inProcessClient(broker, machine.environment) }
}

describe('while a broker runs', () => {
  it('segments go as retention says, and those who read there hear of it', async () => {
    const { world, machine, client } = await running()
    await world.run(client.createTopic('short', 1, { 'retention.ms': '60000', 'segment.bytes': '1024' }))
    await world.run(client.createTopic('long', 1, { 'retention.ms': '-1', 'segment.bytes': '1024' }))
    const timestampMs = machine.environment.clock.nowMs()
    for (let count = 0; count < 5; count++) {
      for (const topic of ['short', 'long']) {
        await world.run(client.produce(topic, batchOf(['x'.repeat(600)], { timestampMs })))
      }
    }
    await world.runFor(11 * 60_000)
    const start = async (topic: string) => {
      const { topics } = await world.run(
        client.send(messages.listOffsets, {
          replicaId: -1,
          topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2 }] }]
        })
      )
      return topics[0].partitions[0].offset
    }
    expect(await start('short')).toBe(5)
    expect(await start('long')).toBe(0)
    const below = await world.run(client.fetch({ topic: 'short', offset: 0, maxWaitMs: 1_000 }))
    expect(below.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
  })

  it('checkpoints are written, and only when something changed', async () => {
    const { world, machine, fixture, client } = await running()
    await world.run(client.createTopic('clicks', 1, { 'retention.ms': '-1' }))
    await world.run(client.produce('clicks', batchOf(['a', 'b'])))
    const written: string[] = []
    machine.disk.options = {
      fault: (operation, path) => {
        if (operation === 'rename' && path.includes('checkpoint')) written.push(path)
        return undefined
      }
    }
    await world.runFor(10 * 60_000)
    const text = (name: string) => machine.environment.files.readFile(`${fixture.directory}/${name}`).toString()
    expect(text('replication-offset-checkpoint')).toBe('0\n1\nclicks 0 2\n')
    expect(text('recovery-point-offset-checkpoint')).toBe('0\n1\nclicks 0 2\n')
    expect(text('log-start-offset-checkpoint')).toBe('0\n1\nclicks 0 0\n')
    expect(new Set(written).size).toBe(written.length)
  })

  it('a produce that the disk keeps waiting is told so in time, and its batch is not lost', async () => {
    const { world, machine, client } = await running()
    await world.run(client.createTopic('clicks', 1, { 'retention.ms': '-1' }))
    machine.disk.options = { syncLatencyMs: [5_000, 5_000] }
    const slow = await world.run(client.produce('clicks', batchOf(['a']), { timeoutMs: 100 }))
    expect([slow.errorCode, slow.baseOffset]).toEqual([ErrorCode.REQUEST_TIMED_OUT, -1])
    expect((await world.run(client.produce('clicks', batchOf(['b']), { acks: 1, timeoutMs: 100 }))).errorCode).toBe(0)
    await world.runFor(120_000)
    expect(await world.run(client.values('clicks'))).toEqual(['a', 'b'])
  })
})
