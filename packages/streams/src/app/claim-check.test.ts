import { type Environment, openLog } from '@millrace/log'
import { SimulatedWorld } from '@millrace/log/testing'
import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { COMMIT_STEPS, type Trace } from '../observe/trace.ts'
import { claimCheck } from '../serde/claim-check.ts'
import { FileBlobs } from '../serde/file-blobs.ts'
import { MemoryBlobs } from '../serde/memory-blobs.ts'
import { string } from '../serde/string.ts'
import { FileEngine } from '../state/file-engine.ts'
import { runStreams } from './run-streams.ts'
import { sweepBlobs } from './sweep-blobs.ts'

const COUNT = 30
const large = (i: number) => `${i}:`.padEnd(200, 'large')

/** Writes large values from small ones; each life of the process opens its blobs anew. */
function enlarging(environment: Environment) {
  const value = claimCheck(string(), { store: new FileBlobs('/blobs', environment), aboveBytes: 100 })
  const topology = defineTopology('enlarging', (b) => {
    b.stream('in', { key: string(), value: string() })
      .mapValues((text) => large(Number(text)), { value })
      .toTable({ store: 'latest' })
      .toStream()
      .to('out')
  })
  return { topology, value }
}

async function live(environment: Environment, trace: Trace): Promise<string[]> {
  const broker = { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 }
  const log = await openLog({ dir: '/data', environment, broker, onEvent: () => undefined })
  const { topology, value } = enlarging(environment)
  const isNew = !(await log.admin().listTopics()).some(({ name }) => name === 'out')
  if (isNew) {
    await log.admin().ensureTopic({ name: 'in', partitions: 1, configs: { 'retention.ms': '-1' } })
    const [end] = (await log.consumer().endOffsets([{ topic: 'in', partition: 0 }])).values()
    const producer = log.producer()
    for (let i = end ?? 0; i < COUNT; i++) {
      await producer.send({ topic: 'in', partition: 0, key: Buffer.from(`k${i}`), value: Buffer.from(`${i}`) })
    }
    await log.admin().ensureTopic({ name: 'out', partitions: 1, configs: { 'retention.ms': '-1' } })
  }
  const engine = (path: string, where: Environment) => FileEngine.open(path, where)
  const app = await runStreams(topology, { log, engine, commitInterval: 3, trace })
  app.done.catch(() => undefined)
  const consumer = log.consumer({ isolation: 'read_committed' })
  consumer.assign([{ topic: 'out', partition: 0 }])
  const read: string[] = []
  while (read.length < COUNT) {
    for (const { batches } of await consumer.poll(100)) {
      for (const batch of batches) {
        const view = batch.records()
        // What is committed can be read: its blob was on the disk before.
        while (view.next()) read.push(value.decode(view.buffer, view.valueStart, view.valueEnd))
      }
    }
  }
  const latest = await firstValueFrom(app.store<string, string>('latest').watch('k7'))
  expect(latest.value).toBe(large(7))
  await app.close()
  await log.close()
  return read
}

describe('claim-checked values in a process whose power is cut', () => {
  it('are there for every record that was committed, wherever that happens', async () => {
    for (let seed = 0; seed < 8; seed++) {
      const world = new SimulatedWorld({ seed })
      const machine = world.machine('m')
      const { random } = world
      for (let life = 0; ; life++) {
        const environment = machine.restart()
        const died = Promise.withResolvers<'killed'>()
        const step = COMMIT_STEPS[(seed + life) % COMMIT_STEPS.length]
        const last = life === 4
        let passes = random.below(3)
        const trace: Trace = (reached) => {
          if (last || reached !== step || passes-- > 0) return
          machine.powerCut()
          died.resolve('killed')
        }
        const ended = live(environment, trace)
        ended.catch(() => undefined)
        const outcome = await world.run(Promise.race([died.promise, ended]), 300_000)
        if (outcome === 'killed') continue
        expect(outcome).toEqual(Array.from({ length: COUNT }, (_, i) => large(i)))
        break
      }
    }
  })
})

describe('a sweep of blobs', () => {
  it('removes what no record refers to and is old enough, and nothing else', async () => {
    const log = await openLog('memory:')
    let nowMs = log.environment.clock.nowMs() - 3 * 24 * 60 * 60 * 1000
    const store = new MemoryBlobs({ nowMs: () => nowMs })
    const value = claimCheck(string(), { store, aboveBytes: 3 })
    for (const name of ['a', 'b']) await log.admin().ensureTopic({ name, partitions: 2, configs: {} })
    const producer = log.producer()
    const send = (topic: string, partition: number, bytes: Buffer) =>
      producer.send({ topic, partition, key: null, value: bytes })
    await send('a', 1, value.encode('kept in a'))
    await send('b', 0, Buffer.concat([Buffer.from([1, 1, 7]), value.encode('kept inside'), Buffer.from('more')]))
    await send('b', 0, Buffer.from('no reference'))
    const orphan = value.encode('an orphan')
    nowMs = log.environment.clock.nowMs()
    value.encode('a young orphan')
    const options = { log, topics: ['a', 'b'] }
    await expect(sweepBlobs(store, { log, topics: ['a', 'nowhere'] })).rejects.toThrow('nowhere')
    await expect(sweepBlobs(store, { ...options, olderThan: '1h' })).rejects.toThrow('olderThan')
    const expected = {
      blobs: 4,
      referenced: 2,
      removed: [orphan.toString('hex', 1, 33)],
      removedBytes: 'an orphan'.length
    }
    expect(await sweepBlobs(store, { ...options, dryRun: true })).toEqual({ dryRun: true, ...expected })
    expect(await sweepBlobs(store, options)).toEqual({ dryRun: false, ...expected })
    expect([...store.list()].map(({ sizeBytes }) => sizeBytes).sort()).toEqual(
      ['a young orphan'.length, 'kept inside'.length, 'kept in a'.length].sort()
    )
    await producer.close()
    await log.close()
  })
})

it('a directory for large values that cannot be made fails the start, before there are topics', async () => {
  const { environment } = new SimulatedWorld({ seed: 1 }).machine('m')
  environment.files.open('/blobs', 'create').close()
  const log = await openLog('memory:')
  await expect(runStreams(enlarging(environment).topology, { log })).rejects.toThrow(/cannot make directory \/blobs/)
  const admin = log.admin()
  expect(await admin.listTopics()).toEqual([])
  await admin.close()
  await log.close()
})
