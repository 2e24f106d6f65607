import { type Log, openLog, partitionForKey } from '@millrace/log'
import { filter, firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { ApplicationRunningError } from './errors.ts'
import { formatPlan, planStart } from './plan.ts'
import { formatReset, resetApplication } from './reset.ts'
import { runStreams } from './run-streams.ts'

let log: Log
beforeEach(async () => {
  log = await openLog('memory:')
})
afterEach(() => log.close())

const wordCount = defineTopology('words', (b) => {
  b.stream('lines', { key: string(), value: string() })
    .flatMapValues((line) => line.split(' '), { value: string() })
    .groupBy((word) => word)
    .count({ store: 'counts' })
    .toStream()
    .to('word-counts')
})

const ownTopics = async () =>
  (await log.admin().listTopics()).map(({ name }) => name).filter((name) => !name.startsWith('__'))

async function say(line: string) {
  const producer = log.producer()
  producer.enqueue('lines', partitionForKey(Buffer.from('k'), 2), Buffer.from('k'), Buffer.from(line), 0)
  await producer.close()
}

async function counted(word: string, times: number) {
  const app = await runStreams(wordCount, { log, createTopics: { partitions: 2 }, commitInterval: '10ms' })
  try {
    await app.running
    const store = app.store<string, number>('counts')
    await firstValueFrom(store.watch(word).pipe(filter(({ value }) => value === times)))
  } finally {
    await app.close()
  }
}

describe('planStart', () => {
  it('says what a start would make, and makes nothing', async () => {
    const plan = await planStart(wordCount, { log, createTopics: { partitions: 2 } })
    expect(formatPlan(plan)).toBe(`words
  make   source lines (2 partitions): it does not exist, and createTopics allows to make it
  make   sink word-counts (2 partitions): it does not exist, and createTopics allows to make it
  make   internal words-lines-groupBy-repartition (2 partitions): it does not exist
  make   internal words-counts-changelog (2 partitions): it does not exist
  4 tasks
it can start
`)
    expect(await ownTopics()).toEqual([])
  })

  it('says what a start does: topic for topic', async () => {
    const { topics } = await planStart(wordCount, { log, createTopics: { partitions: 2 } })
    const app = await runStreams(wordCount, { log, createTopics: { partitions: 2 } })
    await app.close()
    expect((await ownTopics()).sort()).toEqual(topics.map(({ topic }) => topic).sort())
    const again = await planStart(wordCount, { log })
    expect(new Set(again.topics.map(({ action }) => action))).toEqual(new Set(['keep']))
  })

  it('rejects what a start would fail for, with the reason', async () => {
    const missing = await planStart(wordCount, { log, createTopics: false })
    expect(missing).toMatchObject({ startable: false, tasks: null })
    expect(missing.topics[0]).toMatchObject({ topic: 'lines', action: 'reject' })
    const admin = log.admin()
    await admin.ensureTopic({ name: 'lines', partitions: 3 })
    await admin.ensureTopic({ name: 'words-counts-changelog', partitions: 1 })
    const mismatched = await planStart(wordCount, { log })
    expect(mismatched.startable).toBe(false)
    expect(mismatched.topics.find(({ topic }) => topic === 'words-counts-changelog')).toMatchObject({
      action: 'reject',
      reason: expect.stringContaining('it has 1 partitions and the topology needs 3')
    })
  })

  it('tells topics that cannot be read together, and patterns that match nothing', async () => {
    const serdes = { key: string(), value: string() }
    const joined = defineTopology('joined', (b) => {
      const table = b.table('right', serdes)
      b.stream('left', serdes).join(table, (left, right) => left + right, { name: 'both' })
    })
    const admin = log.admin()
    await admin.ensureTopic({ name: 'left', partitions: 2 })
    await admin.ensureTopic({ name: 'right', partitions: 3 })
    const apart = await planStart(joined, { log })
    expect(apart).toMatchObject({ startable: false, problems: [expect.stringContaining('left has 2')] })
    const matching = defineTopology('matching', (b) => b.stream(/^none-/, serdes).to('out'))
    const nothing = await planStart(matching, { log })
    expect(nothing).toMatchObject({ startable: false, problems: [expect.stringContaining('no topic matches')] })
  })

  it('tells configurations that a start leaves as they are', async () => {
    const admin = log.admin()
    await admin.ensureTopic({ name: 'lines', partitions: 1 })
    const configs = { 'cleanup.policy': 'delete' }
    await admin.ensureTopic({ name: 'words-counts-changelog', partitions: 1, configs })
    const { topics } = await planStart(wordCount, { log })
    expect(topics.find(({ topic }) => topic === 'words-counts-changelog')?.reason).toContain(
      'its cleanup.policy stays delete, a new one would have compact'
    )
  })
})

describe('resetApplication', () => {
  it('begins anew: the same input gives the same counts again', async () => {
    await log.admin().ensureTopic({ name: 'lines', partitions: 2 })
    await say('to be or not to be')
    await counted('be', 2)
    const before = await ownTopics()
    const dry = await resetApplication(wordCount, { log, dryRun: true })
    expect(await ownTopics()).toEqual(before)
    expect(formatReset(dry)).toContain('words (dry run: nothing is changed)')
    const done = await resetApplication(wordCount, { log })
    expect(done).toEqual({ ...dry, dryRun: false })
    expect(done.deletedTopics).toEqual(['words-lines-groupBy-repartition', 'words-counts-changelog'])
    expect(done.offsets).toContainEqual({
      topic: 'lines',
      partition: partitionForKey(Buffer.from('k'), 2),
      from: 1,
      to: 0
    })
    expect((await ownTopics()).sort()).toEqual(['lines', 'word-counts'])
    await counted('be', 2)
  })

  it('may begin at the end', async () => {
    await log.admin().ensureTopic({ name: 'lines', partitions: 2 })
    await say('old')
    await counted('old', 1)
    const { offsets } = await resetApplication(wordCount, { log, to: 'latest' })
    expect(offsets.map(({ to }) => to).sort()).toEqual([0, 1])
    await say('new')
    await counted('new', 1)
    const app = await runStreams(wordCount, { log })
    await app.running
    expect(await app.store<string, number>('counts').get('old')).toBeUndefined()
    await app.close()
  })

  it('refuses while the application runs, and changes nothing', async () => {
    const app = await runStreams(wordCount, { log })
    await app.running
    const before = await ownTopics()
    for (const dryRun of [true, false]) {
      const refused = resetApplication(wordCount, { log, dryRun })
      await expect(refused).rejects.toThrow(ApplicationRunningError)
      await expect(refused).rejects.toMatchObject({ group: 'words', members: 1 })
    }
    expect(await ownTopics()).toEqual(before)
    await app.close()
  })

  it('leaves topics of an application alone whose name begins with this one', async () => {
    const other = defineTopology('words-2', (b) => b.table('lines', { key: string(), value: string(), store: 's' }))
    for (const topology of [wordCount, other]) await (await runStreams(topology, { log })).close()
    await resetApplication(wordCount, { log })
    expect(await ownTopics()).toContain('words-2-s-changelog')
  })
})
