import { afterEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../../environment/memory-environment.ts'
import { simulatedEnvironment } from '../../testing/simulated-world.ts'
import { errorName } from '../../wire/errors.ts'
import * as messages from '../../wire/messages/index.ts'
import { type AskOptions, CoordinationFixture, type FixtureOptions } from './coordination-fixture.ts'

const started: CoordinationFixture[] = []

async function start(options: FixtureOptions = {}): Promise<CoordinationFixture> {
  const fixture = await CoordinationFixture.start(options)
  started.push(fixture)
  return fixture
}

afterEach(async () => {
  for (const fixture of started.splice(0)) {
    await fixture.broker.close()
    expect(fixture.events).toEqual([])
  }
})

interface Joined {
  readonly memberId: string
  readonly generationId: number
}

/** Joins, being told an id first if need be. */
async function join(
  broker: CoordinationFixture,
  options: AskOptions & {
    memberId?: string
    instanceId?: string
    sessionTimeoutMs?: number
    rebalanceTimeoutMs?: number
  } = {}
): Promise<Joined & { error: string; leads: boolean; members: number }> {
  const request = (memberId: string) =>
    broker.ask(
      messages.joinGroup,
      {
        groupId: 'group',
        memberId,
        groupInstanceId: options.instanceId ?? null,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from('m') }]
      },
      options
    )
  let answer = await request(options.memberId ?? '')
  if (errorName(answer.errorCode) === 'MEMBER_ID_REQUIRED') answer = await request(answer.memberId)
  const { memberId, generationId, leader, members } = answer
  return {
    memberId,
    generationId,
    error: errorName(answer.errorCode),
    leads: leader === memberId,
    members: members.length
  }
}

async function sync(
  broker: CoordinationFixture,
  who: Joined,
  assignments: Record<string, string> = {},
  instanceId?: string
): Promise<string> {
  const answer = await broker.ask(messages.syncGroup, {
    groupId: 'group',
    ...who,
    groupInstanceId: instanceId ?? null,
    assignments: Object.entries(assignments).map(([memberId, text]) => ({ memberId, assignment: Buffer.from(text) }))
  })
  return answer.errorCode === 0 ? answer.assignment.toString() : errorName(answer.errorCode)
}

async function beat(broker: CoordinationFixture, who: Joined): Promise<string> {
  return errorName((await broker.ask(messages.heartbeat, { groupId: 'group', ...who })).errorCode)
}

async function commit(
  broker: CoordinationFixture,
  who: Joined,
  options: { metadata?: string; topic?: string } = {}
): Promise<string> {
  const partitions = [{ partitionIndex: 0, committedOffset: 3, committedMetadata: options.metadata ?? 'note' }]
  const answer = await broker.ask(messages.offsetCommit, {
    groupId: 'group',
    memberId: who.memberId,
    generationIdOrMemberEpoch: who.generationId,
    topics: [{ name: options.topic ?? 'data', partitions }]
  })
  return errorName(answer.topics[0].partitions[0].errorCode)
}

const nobody: Joined = { memberId: '', generationId: -1 }

describe('a group over the broker', () => {
  it('rebalances as members come and go', async () => {
    const broker = await start()
    const first = await join(broker)
    expect(first).toMatchObject({ error: 'NONE', generationId: 1, leads: true, members: 1 })
    expect(await sync(broker, first, { [first.memberId]: 'all' })).toBe('all')
    const arriving = join(broker)
    await expect.poll(() => beat(broker, first)).toBe('REBALANCE_IN_PROGRESS')
    const again = await join(broker, { memberId: first.memberId })
    const second = await arriving
    expect(again).toMatchObject({ generationId: 2, leads: true, members: 2 })
    expect(second).toMatchObject({ generationId: 2, leads: false, members: 0 })
    const waiting = sync(broker, second)
    expect(await sync(broker, again, { [again.memberId]: 'half', [second.memberId]: 'rest' })).toBe('half')
    expect(await waiting).toBe('rest')
    const left = await broker.ask(messages.leaveGroup, {
      groupId: 'group',
      members: [{ memberId: second.memberId }, { memberId: 'stranger' }]
    })
    expect(left.members.map((member) => errorName(member.errorCode))).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
    expect(await beat(broker, again)).toBe('REBALANCE_IN_PROGRESS')
  })

  it('is described with its members once they know their parts', async () => {
    const broker = await start()
    const describe = async (groupId: string, apiVersion: number) => {
      const { groups } = await broker.ask(messages.describeGroups, { groups: [groupId] }, { version: apiVersion })
      return groups[0]
    }
    const member = await join(broker)
    const preparing = await describe('group', 6)
    expect(preparing).toMatchObject({ errorCode: 0, groupState: 'CompletingRebalance', protocolType: 'consumer' })
    expect(preparing.members).toMatchObject([{ memberId: member.memberId, memberMetadata: Buffer.alloc(0) }])
    expect(await sync(broker, member, { [member.memberId]: 'all' })).toBe('all')
    expect(await describe('group', 6)).toMatchObject({
      groupState: 'Stable',
      protocolData: 'range',
      members: [{ memberMetadata: Buffer.from('m'), memberAssignment: Buffer.from('all') }]
    })
    expect(await describe('nobody', 5)).toMatchObject({ errorCode: 0, groupState: 'Dead', members: [] })
    expect(errorName((await describe('nobody', 6)).errorCode)).toBe('GROUP_ID_NOT_FOUND')
  })

  it('ends sessions by the clock', async () => {
    const { world, ...environment } = simulatedEnvironment({ seed: 1 })
    const broker = await world.run(CoordinationFixture.start({ environment }))
    const member = await world.run(join(broker, { sessionTimeoutMs: 6_000 }))
    expect(await world.run(sync(broker, member, { [member.memberId]: 'all' }))).toBe('all')
    await world.runFor(5_900)
    // Asking with a strange id does not keep the session alive.
    expect(await world.run(commit(broker, nobody))).toBe('UNKNOWN_MEMBER_ID')
    await world.runFor(100)
    expect(await world.run(commit(broker, nobody))).toBe('NONE')
    expect(await world.run(beat(broker, member))).toBe('UNKNOWN_MEMBER_ID')
    await world.run(broker.broker.close())
  })

  it('sends waiting requests away when the broker closes', async () => {
    const broker = await start()
    const first = await join(broker)
    const waiting = join(broker)
    await expect.poll(() => beat(broker, first)).toBe('REBALANCE_IN_PROGRESS')
    await broker.broker.close()
    expect((await waiting).error).toBe('COORDINATOR_NOT_AVAILABLE')
  })

  it('is coordinated by this broker, which makes the topic when it is first asked', async () => {
    const broker = await start()
    const many = await broker.ask(messages.findCoordinator, { keyType: 0, coordinatorKeys: ['a', 'b'] })
    expect(
      many.coordinators.map(({ key, nodeId, host, port, errorCode }) => [key, nodeId, host, port, errorCode])
    ).toEqual([
      ['a', 1, 'localhost', 9092, 0],
      ['b', 1, 'localhost', 9092, 0]
    ])
    const one = await broker.ask(messages.findCoordinator, { key: 'a', keyType: 1 }, { version: 2 })
    expect(one).toMatchObject({ nodeId: 1, errorCode: 0, coordinators: [] })
    const share = await broker.ask(messages.findCoordinator, { keyType: 2, coordinatorKeys: ['a'] })
    expect(errorName(share.coordinators[0].errorCode)).toBe('INVALID_REQUEST')
  })
})

describe('committed offsets', () => {
  it('are fenced by member and generation', async () => {
    const broker = await start()
    expect(await commit(broker, nobody)).toBe('NONE')
    const member = await join(broker)
    expect(await commit(broker, member)).toBe('REBALANCE_IN_PROGRESS')
    await sync(broker, member, {})
    expect(await commit(broker, member)).toBe('NONE')
    expect(await commit(broker, nobody)).toBe('UNKNOWN_MEMBER_ID')
    expect(await commit(broker, { ...member, generationId: 0 })).toBe('ILLEGAL_GENERATION')
    expect(await commit(broker, { ...member, memberId: 'other' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await commit(broker, { memberId: 'x', generationId: 4 })).toBe('UNKNOWN_MEMBER_ID')
  })

  it('are refused for what does not exist and for long notes', async () => {
    const broker = await start()
    expect(await commit(broker, nobody, { topic: 'nowhere' })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await commit(broker, nobody, { metadata: 'x'.repeat(4_096) })).toBe('NONE')
    expect(await commit(broker, nobody, { metadata: 'x'.repeat(4_097) })).toBe('OFFSET_METADATA_TOO_LARGE')
  })

  it('come back with their note, in every form of the request', async () => {
    const broker = await start()
    await commit(broker, nobody)
    const fetched = { partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: -1, metadata: 'note', errorCode: 0 }
    const missing = { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
    const all = await broker.ask(messages.offsetFetch, { groups: [{ groupId: 'group', topics: null }] })
    expect(all.groups[0].topics).toEqual([{ name: 'data', partitions: [fetched] }])
    const topics = [{ name: 'data', partitionIndexes: [0, 1] }]
    const older = await broker.ask(messages.offsetFetch, { groupId: 'group', topics }, { version: 7 })
    expect(older.topics).toEqual([{ name: 'data', partitions: [fetched, missing] }])
  })

  it('of a deleted topic do not come back with a new topic of its name', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    await commit(before, nobody)
    const deleted = await before.ask(messages.deleteTopics, { topics: [{ name: 'data' }] })
    expect(deleted.responses[0].errorCode).toBe(0)
    expect(await before.offset()).toBe(-1)
    await before.broker.close()
    // The fixture makes the topic again.
    expect(await (await start({ environment })).offset()).toBe(-1)
  })

  it('survive a restart, and lapse when they are too old', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    await commit(before, nobody)
    await before.broker.close()
    const after = await start({ environment })
    expect(await after.offset()).toBe(3)
    await after.broker.close()
    const config = { offsetsRetentionMs: 0, offsetsRetentionCheckIntervalMs: 1 }
    const later = await start({ environment, config })
    await expect.poll(() => later.offset()).toBe(-1)
    await later.broker.close()
    expect(await (await start({ environment })).offset()).toBe(-1)
  })
})

describe('after a restart', () => {
  it('members of this process are gone at once, and a new one need not wait', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    // So long that no test would see the end of it.
    const patient = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }
    const member = await join(before, patient)
    await sync(before, member, {})
    await before.broker.close()
    const after = await start({ environment })
    expect(await beat(after, member)).toBe('UNKNOWN_MEMBER_ID')
    expect(await join(after, patient)).toMatchObject({ error: 'NONE', generationId: 3, members: 1 })
  })

  it('members of other processes are still there', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    const member = await join(before, { inProcess: false })
    await sync(before, member, { [member.memberId]: 'all' })
    await before.broker.close()
    const after = await start({ environment })
    expect(await beat(after, member)).toBe('NONE')
    expect(await sync(after, member)).toBe('all')
    expect(await commit(after, member)).toBe('NONE')
  })

  it('a static member of another process takes its place again', async () => {
    const environment = memoryEnvironment()
    const before = await start({ environment })
    const member = await join(before, { inProcess: false, instanceId: 'one' })
    expect(await sync(before, member, { [member.memberId]: 'all' }, 'one')).toBe('all')
    await before.broker.close()
    const after = await start({ environment })
    const again = await join(after, { inProcess: false, instanceId: 'one' })
    expect(again).toMatchObject({ error: 'NONE', generationId: 1 })
    expect(await sync(after, again, {}, 'one')).toBe('all')
  })
})
