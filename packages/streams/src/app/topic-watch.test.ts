import type { Environment } from '@millrace/log'
import { SimulatedLog, SimulatedWorld } from '@millrace/log/testing'
import { expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { FileEngine } from '../state/file-engine.ts'
import { ApplicationFailedError, DeletedTopicError } from './errors.ts'
import { runStreams } from './run-streams.ts'

const copying = defineTopology('copying', (b) => {
  b.stream('in', { key: string(), value: string() }).to('out')
})

const counting = defineTopology('counting', (b) => {
  b.stream('in', { key: string(), value: string() }).groupByKey().count({ store: 'counts' })
})

/** Much less than the minute or two after which clients give up, and more than two looks. */
const SOON_MS = 15_000

it.each([
  ['while nothing is under way', 0],
  ['with a record that is processed and not committed', 1]
])('an application whose topic is deleted says so soon, %s', async (_, records) => {
  const world = new SimulatedWorld({ seed: 1 })
  const simulated = await world.run(
    SimulatedLog.open({ world, machine: world.machine('log'), onEvent: () => undefined })
  )
  const log = simulated.from({ environment: world.machine('app').environment })
  const options = { log, createTopics: {}, stateDirectory: '/state', commitInterval: '1s' } as const
  const app = await world.run(runStreams(copying, options))
  const failed = app.done.catch((error: unknown) => error)
  await world.run(app.caughtUp(), SOON_MS)
  const producer = log.producer()
  for (let record = 0; record < records; record++) producer.enqueue('in', 0, null, Buffer.from('x'), 0)
  await world.run(producer.flush())
  if (records > 0) while (app.metrics().processedRecords < records) await world.runFor(1)
  const commits = app.metrics().commits
  await world.run(log.admin().deleteTopics(['in']))
  expect(app.metrics().commits).toBe(commits)

  const error = await world.run(failed, SOON_MS)
  expect(error).toBeInstanceOf(ApplicationFailedError)
  expect(error).toHaveProperty('cause', expect.any(DeletedTopicError))
  expect(error).toHaveProperty('cause.topic', 'in')
})

it('an application whose changelog is deleted says so at its next commit, and makes no other', async () => {
  const world = new SimulatedWorld({ seed: 2 })
  const simulated = await world.run(
    SimulatedLog.open({ world, machine: world.machine('log'), onEvent: () => undefined })
  )
  const log = simulated.from({ environment: world.machine('app').environment })
  const options = { log, createTopics: {}, stateDirectory: '/state', commitInterval: '1s' } as const
  const engine = (path: string, environment: Environment) => FileEngine.open(path, environment)
  const app = await world.run(runStreams(counting, { ...options, engine }))
  const failed = app.done.catch((error: unknown) => error)
  await world.run(app.caughtUp(), SOON_MS)
  const changelog = 'counting-counts-changelog'
  await world.run(log.admin().deleteTopics([changelog]))
  const producer = log.producer()
  producer.enqueue('in', 0, Buffer.from('key'), Buffer.from('x'), 0)
  await world.run(producer.flush())

  const error = await world.run(failed, SOON_MS)
  expect(error).toHaveProperty('cause', expect.any(DeletedTopicError))
  expect(error).toHaveProperty('cause.topic', changelog)
  const topics = await world.run(log.admin().listTopics())
  expect(topics.map(({ name }) => name)).not.toContain(changelog)
})
