import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, memoryEnvironment, openLog } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineSink, defineSource } from '../../define.ts'
import { PoisonousRecordError } from '../../errors.ts'
import type { Sink, TransactionalSink } from '../../sink.ts'
import { MemoryTarget } from '../../testing/memory-target.ts'
import { eventually } from '../../testing/patience.ts'
import { deadLetter } from '../policy.ts'
import { readToEnd } from '../read-topic.ts'
import { type ConnectorsApp, runConnectors } from '../run-connectors.ts'
import { connectorsControl } from './connectors-control.ts'
import { openControl } from './control-socket.ts'
import type { DeadLetterPlace } from './dead-letter-queue.ts'

let log: Log
const apps: ConnectorsApp[] = []
beforeEach(async () => {
  log = await openLog({ environment: memoryEnvironment() })
})
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
  await log.close()
})

async function run(...connectors: Parameters<typeof runConnectors>[0]['connectors'][number][]): Promise<ConnectorsApp> {
  const app = await runConnectors({ log, connectors })
  apps.push(app)
  return app
}

async function produce(topic: string, count: number): Promise<void> {
  await log.admin().ensureTopic({ name: topic, partitions: 1 })
  const producer = log.producer()
  for (let i = 0; i < count; i++) producer.enqueue(topic, 0, Buffer.from(`k${i}`), Buffer.from(`${i}`), 1)
  await producer.flush()
  await producer.close()
}

const count = (end: number) =>
  defineSource<number>('count', async function* ({ position = 0 }) {
    for (let n = position; n < end; n++) yield { records: [{ topic: 'n', value: n }], position: n + 1 }
  })

describe('the control of connectors', () => {
  it('moves a source, also by the name of a split, only while it does not run', async () => {
    const app = await run({ source: count(5) })
    await app.done
    const control = connectorsControl(log)
    const edit = control.editOffsets('count', [{ place: '', value: 3 }])
    await expect(edit).rejects.toMatchObject({ code: 'CONNECTORS_RUNNING', state: 'ended' })
    await app.connector('count').stop()
    await control.editOffsets('count', [{ place: '', value: 3 }])
    expect(await control.offsets('count')).toEqual({ type: 'source', positions: [{ split: '', position: 3 }] })
    await expect(control.editOffsets('count', [{ place: 'cuont', value: 3 }])).rejects.toThrow(
      "no split 'cuont', but ''"
    )
    await app.connector('count').resume()
    await eventually(
      'two of them again',
      () => control.offsets('count'),
      (offsets) => offsets.type === 'source' && offsets.positions[0]?.position === 5
    )
    // The log may show a commit before the one that made it has heard of it.
    await eventually(
      'seven of them counted',
      () => app.connector('count').metrics()['source-task']?.['source-record-write-total'],
      (written) => written === 7
    )
    await app.connector('count').stop()
    await control.editOffsets('count', [{ place: '', value: null }])
    expect(await control.offsets('count')).toEqual({ type: 'source', positions: [] })
  })

  it('moves a transactional sink at its next start, in the target', async () => {
    const target = new MemoryTarget('transactional')
    await produce('in', 6)
    const app = await run({ sink: target.sink(), topics: ['in'] })
    const written = (times: number) =>
      eventually(
        'the writes',
        () => target.changes(),
        (changes) => changes.length === times
      )
    await written(6)
    const [connector] = app.connectors
    await connector.stop()
    const control = connectorsControl(log)
    await control.editOffsets(connector.name, [{ place: 'in-0', value: 4 }])
    expect(await control.offsets(connector.name)).toMatchObject({
      keptBy: 'target',
      pending: [{ topic: 'in', partition: 0, offset: 4 }]
    })
    await connector.resume()
    await written(8)
    expect(await control.offsets(connector.name)).toMatchObject({ pending: [] })
    await connector.restart()
    await produce('in', 1)
    await written(9)
  })

  it('says that the target was written from another log, by the ids of its topics, or else its end', async () => {
    const target = new MemoryTarget('transactional')
    await produce('in', 6)
    const first = await run({ sink: target.sink(), topics: ['in'] })
    const written = (times: number) =>
      eventually(
        'the writes',
        () => target.changes(),
        (changes) => changes.length === times
      )
    await written(6)
    await first.close()
    const other = await openLog({ environment: memoryEnvironment() })
    const admin = other.admin()
    await admin.ensureTopic({ name: 'in', partitions: 1 })
    const producer = other.producer()
    for (let i = 0; i < 2; i++) producer.enqueue('in', 0, Buffer.from('new'), Buffer.from(`${i}`), 1)
    await producer.close()
    const inner = transactional(target.sink())
    const listening = Promise.withResolvers<void>()
    // As of a target from before, which knows no ids.
    const open: typeof inner.open = async (...given) => {
      await listening.promise
      return (await inner.open(...given)).map(({ topicId: _, ...offset }) => offset)
    }
    const app = await runConnectors({ log: other, connectors: [{ sink: { ...inner, open }, topics: ['in'] }] })
    const events: string[] = []
    app.connectors[0].events$.subscribe(({ code }) => events.push(code))
    listening.resolve()
    await written(8)
    expect(events).toEqual(['target-ahead-of-log'])
    await app.close()
    await other.close()
  })

  it('begins anew with a topic that is deleted and made anew, also while it runs', async () => {
    const target = new MemoryTarget('transactional')
    const written = (times: number) =>
      eventually(
        'the writes',
        () => target.changes(),
        (changes) => changes.length >= times
      )
    await produce('in', 3)
    const app = await run({ sink: target.sink(), topics: ['in'] })
    const events: string[] = []
    app.connectors[0].events$.subscribe(({ code }) => events.push(code))
    await written(3)
    const admin = log.admin()
    await admin.deleteTopics(['in'])
    await produce('in', 5)
    await written(3 + 5)
    expect((await target.changes()).slice(3)).toEqual(['k0 0', 'k1 1', 'k2 2', 'k3 3', 'k4 4'])
    expect(events).toContain('target-of-another-topic')
    expect(await connectorsControl(log).offsets(app.connectors[0].name)).toMatchObject({ keptBy: 'target' })
  })

  it('keeps the edits of several partitions until each is made', async () => {
    const target = new MemoryTarget('transactional')
    await log.admin().ensureTopic({ name: 'in', partitions: 2 })
    const producer = log.producer()
    for (let i = 0; i < 6; i++) producer.enqueue('in', i % 2, Buffer.from(`k${i}`), Buffer.from(`${i}`), 1)
    await producer.close()
    const app = await run({ sink: target.sink(), topics: ['in'] })
    const written = (times: number) =>
      eventually(
        'the writes',
        () => target.changes(),
        (changes) => changes.length === times
      )
    await written(6)
    const [connector] = app.connectors
    await connector.stop()
    const control = connectorsControl(log)
    await control.editOffsets(connector.name, [{ place: 'in-0', value: 0 }])
    await control.editOffsets(connector.name, [{ place: 'in-1', value: 1 }])
    await control.editOffsets(connector.name, [{ place: 'in-0', value: 2 }])
    expect(await control.offsets(connector.name)).toMatchObject({
      pending: [
        { topic: 'in', partition: 1, offset: 1 },
        { topic: 'in', partition: 0, offset: 2 }
      ]
    })
    await connector.resume()
    await written(6 + 2 + 1)
    expect(await control.offsets(connector.name)).toMatchObject({ pending: [] })
  })

  it('fails a sink that cannot be moved, and says so', async () => {
    const { moveOffsets: _, ...sink } = transactional(new MemoryTarget('transactional').sink())
    await produce('in', 3)
    const app = await run({ sink, topics: ['in'] })
    const [connector] = app.connectors
    await eventually(
      'all of it',
      () => connector.health().lag,
      (lag) => lag === 0
    )
    await connector.stop()
    await connectorsControl(log).editOffsets(connector.name, [{ place: 'in-0', value: null }])
    await connector.resume()
    await expect(connector.done).rejects.toMatchObject({ cause: { code: 'CONNECTORS_OFFSETS_NOT_EDITABLE' } })
  })

  it('replays dead letters once, with what they had', async () => {
    let strict = true
    const got: string[] = []
    const sink = defineSink('moody', (batch) => {
      for (const record of batch) {
        if (strict && String(record.key) === 'k1') throw new PoisonousRecordError(record, 'not now')
        got.push(`${record.key} ${record.value} ${record.headers.length}`)
      }
    })
    await produce('in', 3)
    await run({ sink, topics: ['in'], onError: deadLetter('dead') })
    const control = connectorsControl(log)
    const { letters } = await eventually(
      'the letter',
      () => control.deadLetters('moody'),
      (page) => page.letters.length === 1
    )
    const [letter] = letters
    expect(letter).toMatchObject({ origin: { topic: 'in', partition: 0, offset: 1 }, key: 'k1', replayed: false })
    strict = false
    expect(await control.replay('moody')).toBe(1)
    await eventually(
      'it to be delivered',
      () => got.filter((text) => text === 'k1 1 0'),
      (found) => found.length === 1
    )
    expect(await control.replay('moody')).toBe(0)
    expect(await control.deadLetters('moody')).toMatchObject({ letters: [{ replayed: true }] })
  })

  it('lists dead letters page by page, oldest first, or the newest', async () => {
    const sink = defineSink('strict', (batch) => {
      for (const record of batch) throw new PoisonousRecordError(record, 'not now')
    })
    const app = await run({ sink, topics: ['in'], onError: deadLetter('dead') })
    await log.admin().ensureTopic({ name: 'dead', partitions: 3 })
    await log.admin().ensureTopic({ name: 'in', partitions: 1 })
    const producer = log.producer()
    for (let i = 0; i < 25; i++) producer.enqueue('in', 0, Buffer.from(`k${i}`), Buffer.from(`${i}`), 1000 + i)
    // Another connector's letter among them.
    producer.enqueue('dead', 0, Buffer.from('other'), null, 9999)
    await producer.close()
    const control = connectorsControl(log)
    const all = await eventually(
      'the letters',
      () => control.deadLetters('strict'),
      ({ letters }) => letters.length === 25
    )
    expect(all.next).toBeUndefined()
    await app.close()
    const paged: unknown[] = []
    let after: DeadLetterPlace | undefined
    let pages = 0
    do {
      const { letters, next } = await control.deadLetters('strict', { limit: 10, after })
      expect(letters.length).toBeLessThanOrEqual(10)
      paged.push(...letters)
      after = next
      pages++
    } while (after !== undefined)
    expect([paged, pages]).toEqual([all.letters, 3])
    const places = all.letters.map(({ partition, offset }) => partition * 1000 + offset)
    expect(places).toEqual(places.toSorted((one, other) => one - other))
    const { letters } = await control.deadLetters('strict', { limit: 3, newest: true })
    expect(letters.map(({ key }) => key)).toEqual(['k24', 'k23', 'k22'])
    await expect(control.deadLetters('strict', { limit: 0 })).rejects.toThrow('it has one at least')
  })

  it('replays letters into the partitions that their records were in, whatever their keys', async () => {
    const sink = defineSink('strict', (batch) => {
      for (const record of batch) throw new PoisonousRecordError(record, 'not now')
    })
    await log.admin().ensureTopic({ name: 'in', partitions: 3 })
    const producer = log.producer()
    for (let i = 0; i < 30; i++)
      producer.enqueue('in', i % 3, i < 15 ? Buffer.from('same') : null, Buffer.from(`${i}`), 1)
    await producer.close()
    const app = await run({ sink, topics: ['in'], onError: deadLetter('dead') })
    const control = connectorsControl(log)
    await eventually(
      'the letters',
      () => control.deadLetters('strict'),
      ({ letters }) => letters.length === 30
    )
    await app.close()
    expect(await control.replay('strict')).toBe(30)
    const places = new Map<string, number[]>()
    for await (const { records, partition } of readToEnd(log, { topic: 'in', partitions: [0, 1, 2] })) {
      for (const { value } of records) places.set(String(value), [...(places.get(String(value)) ?? []), partition])
    }
    for (let i = 0; i < 30; i++) expect(places.get(`${i}`)).toEqual([i % 3, i % 3])
  })

  it('answers for all applications of a log over its socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-control-'))
    const onDisk = await openLog(`file:${directory}`)
    const first = await runConnectors({ log: onDisk, connectors: [{ source: count(1) }] })
    const second = await runConnectors({
      log: onDisk,
      connectors: [{ sink: defineSink('s', () => {}), topics: ['n'] }]
    })
    const { control, close } = await openControl(`file:${directory}`)
    expect((await control.list()).map(({ name }) => name)).toEqual(['count', 's'])
    await control.pause('s')
    expect(second.connector('s').state.status).toBe('paused')
    await expect(control.status('t')).rejects.toMatchObject({ remoteCode: 'CONNECTORS_UNKNOWN' })
    await close()
    await first.close()
    await second.close()
    await onDisk.close()
    rmSync(directory, { recursive: true })
  })
})

function transactional(sink: Sink): TransactionalSink {
  if (sink.delivery !== 'transactional') throw new TypeError('it is idempotent')
  return sink
}
