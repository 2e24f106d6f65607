import { type Log, openLog, UnknownOutcomeError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { openRegistry } from './registry.ts'

const text = (schema: unknown) => ({ schemaType: 'AVRO' as const, schema: JSON.stringify(schema), references: [] })
const record = (name: string) => text({ type: 'record', name, fields: [] })

/** Keys and values of the topic, as text. */
async function recordsOf(log: Log): Promise<[string | undefined, string | undefined][]> {
  const consumer = log.consumer()
  consumer.assign([{ topic: '_schemas', partition: 0 }])
  const found: [string | undefined, string | undefined][] = []
  const end = (await consumer.endOffsets([{ topic: '_schemas', partition: 0 }])).get('_schemas-0') ?? 0
  while (consumer.position({ topic: '_schemas', partition: 0 }) < end) {
    for (const { batches } of await consumer.poll(500)) {
      for (const batch of batches) {
        for (const cursor = batch.records(); cursor.next(); )
          found.push([cursor.key()?.toString(), cursor.value()?.toString()])
      }
    }
  }
  await consumer.close()
  return found
}

async function produce(log: Log, key: string, value: string | null): Promise<void> {
  const producer = log.producer()
  await producer.send({
    topic: '_schemas',
    partition: 0,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value)
  })
  await producer.close()
}

describe('the topic of a registry', () => {
  it("has records in Confluent's format", async () => {
    const log = await openLog('memory:')
    const registry = await openRegistry({ log })
    await registry.register('a-value', text('string'))
    await registry.settings.setConfig(null, { compatibilityLevel: 'FULL' })
    await registry.settings.setMode('a-value', 'READWRITE')
    await registry.deleteVersion('a-value', 1)
    await registry.deleteVersion('a-value', 1, { permanent: true })
    const key = '{"keytype":"SCHEMA","subject":"a-value","version":1,"magic":1}'
    const value = (deleted: boolean) =>
      `{"subject":"a-value","version":1,"id":1,"schema":"\\"string\\"","deleted":${deleted}}`
    expect(await recordsOf(log)).toEqual([
      [key, value(false)],
      ['{"keytype":"CONFIG","subject":null,"magic":0}', '{"subject":null,"compatibilityLevel":"FULL"}'],
      ['{"keytype":"MODE","subject":"a-value","magic":0}', '{"subject":"a-value","mode":"READWRITE"}'],
      [key, value(true)],
      ['{"keytype":"NOOP","magic":0}', '{"maxId":1}'],
      [key, undefined]
    ])
    const configs = await log.admin().describeConfigs({ type: 'topic', name: '_schemas' })
    expect(configs.get('cleanup.policy')?.value).toBe('compact')
    await registry.close()
    await log.close()
  })

  it('is all that a registry is: the next one has the same ids, and gives none a second time', async () => {
    const log = await openLog('memory:')
    const first = await openRegistry({ log })
    await first.settings.setConfig(null, { compatibilityLevel: 'NONE' })
    for (let i = 0; i < 20; i++) await first.register(`s${i % 3}`, record(`R${i}`))
    await first.deleteSubject('s1')
    await first.deleteSubject('s1', { permanent: true })
    await first.deleteVersion('s2', 'latest')
    await first.deleteVersion('s2', 6, { permanent: true })
    const before = first.state
    await first.close()
    const second = await openRegistry({ log })
    expect(second.state.subjects()).toEqual(['s0', 's2'])
    for (const subject of ['s0', 's1', 's2']) expect(second.state.versions(subject)).toEqual(before.versions(subject))
    expect(second.state.levelOf('s0')).toBe('NONE')
    expect((await second.register('s0', record('R0'))).id).toBe(1)
    expect((await second.register('s1', record('R1'))).id).toBe(21)
    await second.close()
    await log.close()
  })

  it('has one writer: who opens it later fences who had it', async () => {
    const log = await openLog('memory:')
    const first = await openRegistry({ log })
    await first.register('a', record('A'))
    const second = await openRegistry({ log })
    await expect(first.register('b', record('B'))).rejects.toMatchObject({
      code: 'CONNECTORS_REGISTRY_FENCED',
      errorCode: 50003
    })
    await expect(first.register('b', record('B'))).rejects.toMatchObject({ code: 'CONNECTORS_REGISTRY_FENCED' })
    expect(await first.schemaById(1)).toMatchObject({ schema: expect.stringContaining('"A"') })
    expect((await first.register('a', record('A'))).id).toBe(1)
    expect((await second.register('b', record('B'))).id).toBe(2)
    await first.close()
    await second.close()
    await log.close()
  })

  it("is read when Confluent's registry wrote it", async () => {
    const log = await openLog('memory:')
    await log.admin().ensureTopic({ name: '_schemas', partitions: 1, configs: { 'cleanup.policy': 'compact' } })
    await produce(log, '{"keytype":"NOOP","magic":0}', null)
    await produce(
      log,
      '{"keytype":"SCHEMA","subject":"clicks-value","version":1,"magic":1}',
      '{"subject":"clicks-value","version":1,"id":41,"md5":"x","schema":"\\"long\\"","deleted":false,"ts":1}'
    )
    await produce(
      log,
      '{"keytype":"SCHEMA","subject":"clicks-value","version":2,"magic":1}',
      '{"subject":"clicks-value","version":2,"id":42,"schema":"\\"double\\"","deleted":false}'
    )
    await produce(
      log,
      '{"keytype":"DELETE_SUBJECT","subject":"clicks-value","magic":0}',
      '{"subject":"clicks-value","version":1}'
    )
    await produce(
      log,
      '{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}',
      '{"tenant":"default","context":".x"}'
    )
    const registry = await openRegistry({ log })
    expect(await registry.versions('clicks-value')).toEqual([2])
    expect(await registry.version('clicks-value', 'latest')).toMatchObject({
      id: 42,
      schemaType: 'AVRO',
      schema: '"double"'
    })
    expect((await registry.register('x', record('X'))).id).toBe(43)
    await registry.close()
    await log.close()
  })

  it('is not served when it cannot be read, or would not keep schemas', async () => {
    const log = await openLog('memory:')
    await log.admin().ensureTopic({ name: '_schemas', partitions: 1, configs: { 'cleanup.policy': 'compact' } })
    await produce(log, 'no json', '{}')
    await expect(openRegistry({ log })).rejects.toMatchObject({ code: 'CONNECTORS_REGISTRY_TOPIC', offset: 0 })
    await log.admin().ensureTopic({ name: 'deleted', partitions: 1, configs: { 'cleanup.policy': 'delete' } })
    await expect(openRegistry({ log, topic: 'deleted' })).rejects.toThrow(/set it to compact/)
    await log.admin().ensureTopic({ name: 'many', partitions: 2, configs: { 'cleanup.policy': 'compact' } })
    await expect(openRegistry({ log, topic: 'many' })).rejects.toThrow(/2 partitions/)
    await log.close()
  })

  it('is asked what became of a write whose outcome is not known', async () => {
    const log = await openLog('memory:')
    for (const isWritten of [true, false]) {
      const registry = await openRegistry({ log: losingAnswers(log, isWritten), topic: `schemas-${isWritten}` })
      await expect(registry.register('a', record('A'))).rejects.toMatchObject({
        code: 'CONNECTORS_REGISTRY_UNAVAILABLE'
      })
      expect((await registry.register('b', record('B'))).id).toBe(isWritten ? 2 : 1)
      expect((await registry.register('a', record('A'))).id).toBe(isWritten ? 1 : 2)
      expect(await registry.versions('a')).toEqual([1])
      await registry.close()
    }
    await log.close()
  })
})

/** The log, but the answer to the first commit is lost, before or after the commit was done. */
function losingAnswers(log: Log, isCommitted: boolean): Log {
  let isLost = false
  const { url, clusterId, environment, directory } = log
  return {
    ...{ url, clusterId, environment, directory },
    consumer: (options) => log.consumer(options),
    admin: () => log.admin(),
    compaction: () => log.compaction(),
    close: () => log.close(),
    producer(options) {
      const producer = log.producer(options)
      const commit = producer.commitTransaction.bind(producer)
      producer.commitTransaction = async () => {
        if (isLost) return commit()
        isLost = true
        if (isCommitted) await commit()
        else await producer.flush()
        throw new UnknownOutcomeError('registry', 'the answer was lost')
      }
      return producer
    }
  }
}
