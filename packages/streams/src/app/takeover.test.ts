import { SimulatedLog, SimulatedWorld } from '@millrace/log/testing'
import { expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { runStreams } from './run-streams.ts'

const copying = defineTopology('copying', (b) => {
  b.stream('in', { key: string(), value: string() }).to('out')
})

it('an application waits for the transaction of an instance that died, however long that takes to end', async () => {
  const world = new SimulatedWorld({ seed: 1 })
  const simulated = await world.run(
    SimulatedLog.open({ world, machine: world.machine('log'), onEvent: () => undefined })
  )
  const dying = world.machine('dying')
  const itsLog = simulated.from({ environment: dying.environment })
  await world.run(itsLog.admin().ensureTopic({ name: 'in', partitions: 1, configs: {} }))
  const producer = itsLog.producer({ transactionalId: 'copying-of-another', transactionTimeoutMs: 60_000 })
  await world.run(producer.initTransactions())
  producer.beginTransaction()
  const group = { groupId: 'copying', generationId: -1, memberId: '' }
  await world.run(producer.sendOffsetsToTransaction([{ topic: 'in', partition: 0, offset: 0 }], group))
  dying.powerCut()

  const taker = world.machine('taker')
  const log = simulated.from({ environment: taker.environment })
  const app = await world.run(runStreams(copying, { log, createTopics: {}, stateDirectory: '/state' }))
  await world.run(Promise.race([app.running, app.done]), 120_000)
  expect(app.state.status).toBe('running')
  await world.run(app.close())
})
