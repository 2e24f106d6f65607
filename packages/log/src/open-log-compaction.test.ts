import { describe, expect, it } from 'vitest'
import type { BrokerEvent } from './broker/event.ts'
import type { Environment } from './environment/environment.ts'
import { type Log, openLog } from './open-log.ts'
import { SimulatedWorld } from './testing/simulated-world.ts'

/** A group without members. */
const MEMBER = { groupId: 'readers', generationId: -1, memberId: '' }
const PARTITION = { topic: 'table', partition: 0 }
const UPDATES = 600
const KEYS = 7

interface Opened {
  readonly log: Log
  readonly events: BrokerEvent[]
}

async function open(environment: Environment, cleanerEnabled: boolean): Promise<Opened> {
  const events: BrokerEvent[] = []
  const log = await openLog({
    dir: '/data',
    environment,
    broker: {
      cleanerEnabled,
      cleanerBackoffMs: 100,
      fileDeleteDelayMs: 0,
      offsetsTopicPartitions: 1,
      offsetsTopicSegmentBytes: 4_096,
      transactionTopicPartitions: 1,
      transactionTopicSegmentBytes: 4_096
    },
    onEvent: (event) => events.push(event)
  })
  return { log, events }
}

/** Writes values and commits offsets in transactions of one producer, most of which are overtaken. */
async function write(log: Log): Promise<void> {
  const admin = log.admin()
  const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '4096', 'delete.retention.ms': '1000' }
  await admin.createTopics([{ name: 'table', partitions: 1, configs }])
  await admin.close()
  const producer = log.producer({ transactionalId: 'writer' })
  await producer.initTransactions()
  for (let i = 0; i < UPDATES; i += 5) {
    await producer.beginTransaction()
    for (let j = i; j < i + 5; j++)
      producer.enqueue('table', 0, Buffer.from(`key ${j % KEYS}`), Buffer.from(`value ${j}`), 1_000)
    const isAborted = i % 15 === 5
    await producer.sendOffsetsToTransaction([{ ...PARTITION, offset: isAborted ? 999_999 : i }], MEMBER)
    if (isAborted) await producer.abortTransaction()
    else await producer.commitTransaction()
  }
  await producer.close()
}

/** The table and the group's offset as a consumer with `read_committed` finds them. */
async function read(log: Log): Promise<{ readonly table: Record<string, string>; readonly records: number }> {
  const consumer = log.consumer({ isolation: 'read_committed' })
  consumer.assign([PARTITION])
  consumer.seek(PARTITION, 0)
  const end = [...(await consumer.endOffsets([PARTITION], 'read_committed')).values()][0]
  const table: Record<string, string> = {}
  let records = 0
  for (let next = 0; next < end; ) {
    for (const fetched of await consumer.poll(100)) {
      for (const batch of fetched.batches) {
        const cursor = batch.records()
        while (cursor.next()) {
          records += 1
          table[String(cursor.key())] = String(cursor.value())
        }
      }
      next = fetched.nextOffset
    }
  }
  await consumer.close()
  return { table, records }
}

function expectedTable(): Record<string, string> {
  const table: Record<string, string> = {}
  for (let i = 0; i < UPDATES; i++) if (Math.floor(i / 5) % 3 !== 1) table[`key ${i % KEYS}`] = `value ${i}`
  return table
}

function sizeOf({ files }: Environment, partition: string): number {
  const directory = `/data/${partition}`
  const logs = files.list(directory).filter(({ name }) => name.endsWith('.log'))
  return logs.reduce((sum, { name }) => sum + files.stat(`${directory}/${name}`).sizeBytes, 0)
}

describe('a log whose topics are compacted', () => {
  it('reads the same from less, the broker’s own topics included, before and after restarts', async () => {
    const world = new SimulatedWorld({ seed: 3 })
    const machine = world.machine('a')
    const { environment } = machine
    const first = await world.run(open(environment, false))
    await world.run(write(first.log))
    // The markers of the last transaction follow its answer.
    await world.runFor(1_000)
    const before = await world.run(read(first.log))
    expect(before.table).toEqual(expectedTable())
    const partitions = ['table-0', '__consumer_offsets-0', '__transaction_state-0']
    const sizes = partitions.map((name) => sizeOf(environment, name))
    await world.run(first.log.close())

    const second = await world.run(open(environment, true))
    await world.runFor(10_000)
    expect(second.log.compaction().map(({ topic, due }) => ({ topic, due }))).toEqual(
      expect.arrayContaining(
        ['table', '__consumer_offsets', '__transaction_state'].map((topic) => ({ topic, due: undefined }))
      )
    )
    expect(second.events.filter(({ kind }) => kind !== 'compacted')).toEqual([])
    expect(second.events.length).toBeGreaterThanOrEqual(3)
    for (const [index, name] of partitions.entries()) {
      expect(sizeOf(environment, name), name).toBeLessThan(sizes[index] / 2)
    }
    const after = await world.run(read(second.log))
    expect(after.table).toEqual(before.table)
    expect(after.records).toBeLessThan(before.records / 2)
    expect(environment.files.readFile('/data/cleaner-offset-checkpoint').toString()).toMatch(
      /^0\n3\n[\s\S]*table 0 [1-9]\d*\n/
    )

    machine.powerCut()
    const third = await world.run(open(machine.restart(), true))
    expect((await world.run(read(third.log))).table).toEqual(before.table)
    const producer = third.log.producer({ transactionalId: 'writer' })
    await world.run(producer.initTransactions())
    await world.run(producer.close())
    const consumer = third.log.consumer({ groupId: MEMBER.groupId })
    const committed = await world.run(consumer.committed([PARTITION]))
    expect([...committed.values()][0]).toMatchObject({ offset: UPDATES - 5 })
    await world.run(consumer.close())
    await world.run(third.log.close())
    expect(third.events.filter(({ kind }) => kind !== 'compacted')).toEqual([])
  })
})
