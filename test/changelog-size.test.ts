import { type Log, openLog } from '@millrace/log'
import { defineTopology, runStreams, string, tumbling } from '@millrace/streams'
import { filter, firstValueFrom } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const KEYS = 20
const ROUNDS = 80
const DAY_MS = 24 * 60 * 60_000
const LIMIT_MS = 60_000
const SMALL_SEGMENTS = { 'segment.bytes': '4096', 'min.cleanable.dirty.ratio': '0.2' }

const sizes = defineTopology('sizes', (b) => {
  const seen = b.stream('in', { key: string(), value: string() }).groupByKey()
  seen.count({ store: 'counts' })
  seen.windowedBy(tumbling({ size: '1m', grace: '1m' })).count({ store: 'windows' })
})

let log: Log
beforeAll(async () => {
  log = await openLog({ broker: { cleanerBackoffMs: 10, retentionCheckIntervalMs: 10, fileDeleteDelayMs: 0 } })
})
afterAll(() => log.close())

describe('changelogs', () => {
  it('have the size of the keys, not of the updates', { timeout: LIMIT_MS }, async () => {
    const start = () => runStreams(sizes, { log, commitInterval: '1ms', internalTopicConfigs: SMALL_SEGMENTS })
    const first = await start()
    await first.running
    expect(await policyOf('sizes-counts-changelog')).toBe('compact')
    expect(await policyOf('sizes-windows-changelog')).toBe('compact,delete')
    const last = first.store<string, number>('counts').watch(`k${KEYS - 1}`)
    const nowMs = Date.now()
    const producer = log.producer()
    for (let round = 1; round <= ROUNDS; round++) {
      const committed = firstValueFrom(last.pipe(filter(({ value }) => value === round)))
      for (let key = 0; key < KEYS; key++) producer.enqueue('in', 0, Buffer.from(`k${key}`), Buffer.from('v'), nowMs)
      await producer.flush()
      await committed
    }
    await producer.close()
    await nothingDue('sizes-counts-changelog')
    await nothingDue('sizes-windows-changelog')
    await first.close()

    for (const topic of ['sizes-counts-changelog', 'sizes-windows-changelog']) {
      const records = await recordsOf(topic)
      expect(new Set(records.map(({ key }) => key)).size).toBe(KEYS)
      expect(records.length).toBeLessThan((KEYS * ROUNDS) / 2)
    }
    const restored: number[] = []
    const second = await start()
    second.restore$.subscribe(({ store, offset }) => store === 'counts' && restored.push(offset))
    await second.running
    for (let key = 0; key < KEYS; key++) expect(await second.store('counts').get(`k${key}`)).toBe(ROUNDS)
    expect(restored.length).toBeGreaterThan(0)
    await second.close()
  })

  it('of windows forget what is past its retention too', { timeout: LIMIT_MS }, async () => {
    const admin = log.admin()
    const configs = { ...SMALL_SEGMENTS, 'cleanup.policy': 'compact,delete', 'retention.ms': String(DAY_MS) }
    await admin.createTopics([{ name: 'both', partitions: 1, configs }])
    await admin.close()
    const nowMs = Date.now()
    const producer = log.producer()
    for (let i = 0; i < 1_000; i++) {
      // Half of it three days old, and each key again and again.
      const [key, timestamp] = i < 500 ? [`old ${i % 10}`, nowMs - 3 * DAY_MS] : [`new ${i % 10}`, nowMs]
      producer.enqueue('both', 0, Buffer.from(key), Buffer.from(`value ${i}`), timestamp)
      if (i % 10 === 9) await producer.flush()
    }
    await producer.close()
    await nothingDue('both')
    const isOld = ({ key }: { key: string }) => key.startsWith('old')
    while ((await recordsOf('both')).some(isOld)) await soon()
    const records = await recordsOf('both')
    expect(new Map(records.map(({ key, value }) => [key, value]))).toEqual(
      new Map(Array.from({ length: 10 }, (_, i) => [`new ${i}`, `value ${990 + i}`]))
    )
    expect(records.length).toBeLessThan(300)
  })
})

async function policyOf(topic: string): Promise<string | undefined> {
  const admin = log.admin()
  const configs = await admin.describeConfigs({ type: 'topic', name: topic })
  await admin.close()
  return configs.get('cleanup.policy')?.value ?? undefined
}

/** Until there is nothing that the cleaner would do. */
async function nothingDue(topic: string): Promise<void> {
  const stands = () => log.compaction().find((each) => each.topic === topic)
  while (stands()?.lastRun === undefined || stands()?.due !== undefined) await soon()
}

function soon(): Promise<void> {
  return new Promise((resolve) => log.environment.timers.set(5, resolve))
}

async function recordsOf(topic: string): Promise<{ key: string; value: string }[]> {
  const at = { topic, partition: 0 }
  const consumer = log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
  consumer.assign([at])
  const end = (await consumer.endOffsets([at], 'read_committed')).get(`${topic}-0`) ?? 0
  const records: { key: string; value: string }[] = []
  while (Math.max(0, consumer.position(at)) < end) {
    for (const { batches } of await consumer.poll(50)) {
      for (const batch of batches) {
        const cursor = batch.records()
        while (cursor.next()) records.push({ key: String(cursor.key()), value: String(cursor.value()) })
      }
    }
  }
  await consumer.close()
  return records
}
