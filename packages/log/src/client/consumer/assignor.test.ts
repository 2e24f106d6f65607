import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeAssignment, encodeSubscription } from '../../wire/consumer-protocol.ts'
import type { TopicPartition } from '../topic-partition.ts'
import {
  type AssignableMember,
  type Assignor,
  cooperativeStickyAssignor,
  rangeAssignor,
  roundRobinAssignor
} from './assignor.ts'
import {
  assignAsLeader,
  type JoinedMember,
  joinedMembers,
  packPartitions,
  unpackPartitions
} from './leader-assignment.ts'

function member(
  memberId: string,
  topics: readonly string[],
  ownedPartitions: readonly TopicPartition[] = []
): JoinedMember {
  return { memberId, groupInstanceId: undefined, topics, userData: null, ownedPartitions, generationId: 1 }
}

/** `member: topic-partition ...`, a line a member. */
function drawn(assignor: Assignor, members: readonly AssignableMember[], counts: Record<string, number>): string[] {
  const assigned = assignor.assign(members, new Map(Object.entries(counts)))
  return [...assigned].map(([memberId, { partitions }]) => `${memberId}: ${names(partitions).join(' ')}`).sort()
}

function names(partitions: readonly TopicPartition[]): string[] {
  return partitions.map(({ topic, partition }) => `${topic}${partition}`)
}

describe('the range assignor', () => {
  it('gives runs of each topic, the first ones longer', () => {
    const members = [member('y', ['a', 'b']), member('x', ['a', 'b'])]
    expect(drawn(rangeAssignor, members, { a: 3, b: 3 })).toEqual(['x: a0 a1 b0 b1', 'y: a2 b2'])
  })

  it('gives a topic to its readers alone, and nothing where there is nothing', () => {
    const members = [member('x', ['a']), member('y', ['a', 'b']), member('z', ['missing'])]
    expect(drawn(rangeAssignor, members, { a: 1, b: 2 })).toEqual(['x: a0', 'y: b0 b1', 'z: '])
  })

  it('goes by the instance ids of static members, which outlive their member ids', () => {
    const fixed = (memberId: string, groupInstanceId: string) => ({ ...member(memberId, ['a']), groupInstanceId })
    expect(drawn(rangeAssignor, [fixed('1', 'q'), fixed('2', 'p')], { a: 2 })).toEqual(['1: a1', '2: a0'])
  })
})

describe('the round-robin assignor', () => {
  it('deals partitions out in turn, skipping who does not read the topic', () => {
    const members = [member('x', ['a']), member('y', ['a', 'b']), member('z', ['b'])]
    expect(drawn(roundRobinAssignor, members, { a: 3, b: 3 })).toEqual(['x: a0 a2', 'y: a1 b0 b2', 'z: b1'])
  })

  it('does not look for readers of a topic that has none', () => {
    expect(drawn(roundRobinAssignor, [member('x', ['a'])], { a: 1, b: 2 })).toEqual(['x: a0'])
  })
})

describe('the cooperative assignor', () => {
  it('takes no more from a member than equal shares ask for', () => {
    const owned = [0, 1, 2, 3, 4].map((partition) => ({ topic: 'a', partition }))
    const members = [member('x', ['a'], owned), member('y', ['a']), member('z', ['a'])]
    expect(drawn(cooperativeStickyAssignor, members, { a: 5 })).toEqual(['x: a0 a1', 'y: a2 a4', 'z: a3'])
  })

  it('lets go of what is no longer there or no longer read', () => {
    const owned = [
      { topic: 'a', partition: 7 },
      { topic: 'b', partition: 0 }
    ]
    expect(drawn(cooperativeStickyAssignor, [member('x', ['a'], owned)], { a: 1, b: 1 })).toEqual(['x: a0'])
  })
})

describe.each([rangeAssignor, roundRobinAssignor, cooperativeStickyAssignor])('the assignor $name', (assignor) => {
  it('gives each partition to exactly one reader', () => {
    const sizes = fc.record({ members: fc.integer({ min: 1, max: 7 }), a: fc.nat(20), b: fc.nat(20) })
    fc.assert(
      fc.property(sizes, fc.nat(6), ({ members, a, b }, owners) => {
        const owned = (index: number) =>
          Array.from({ length: a }, (_, partition) => ({ topic: 'a', partition })).filter(
            ({ partition }) => partition % (owners + 1) === index
          )
        const all = Array.from({ length: members }, (_, index) => member(`m${index}`, ['a', 'b'], owned(index)))
        const assigned = assignor.assign(all, new Map(Object.entries({ a, b })))
        const given = [...assigned.values()].flatMap(({ partitions }) => names(partitions))
        expect(given).toHaveLength(a + b)
        expect(new Set(given).size).toBe(a + b)
        if (assignor !== rangeAssignor) {
          const sizes = [...assigned.values()].map(({ partitions }) => partitions.length)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        }
      })
    )
  })
})

describe('the leader of a group', () => {
  const takeAll: Assignor = {
    name: 'take-all',
    protocol: 'cooperative',
    assign: (members, counts) => {
      const partitions = Array.from({ length: counts.get('a') ?? 0 }, (_, partition) => ({ topic: 'a', partition }))
      return new Map([[members[0].memberId, { partitions, userData: Buffer.from('data') }]])
    }
  }
  const assigned = (assignor: Assignor, members: readonly JoinedMember[]) =>
    assignAsLeader(assignor, members, new Map([['a', 3]])).map(({ memberId, assignment }) => {
      const { assignedPartitions, userData } = decodeAssignment(assignment)
      return `${memberId}: ${names(unpackPartitions(assignedPartitions)).join(' ')} ${userData ?? ''}`
    })

  it('withholds what another member still holds, under the cooperative protocol alone', () => {
    const members = [member('x', ['a']), member('y', ['a'], [{ topic: 'a', partition: 1 }])]
    expect(assigned(takeAll, members)).toEqual(['x: a0 a2 data', 'y:  '])
    expect(assigned({ ...takeAll, protocol: 'eager' }, members)).toEqual(['x: a0 a1 a2 data', 'y:  '])
  })

  it('believes the member of the later generation when two claim one partition', () => {
    const claim = [{ topic: 'a', partition: 1 }]
    const stale = { ...member('y', ['a'], claim), generationId: 3 }
    const current = { ...member('x', ['a'], claim), generationId: 4 }
    expect(assigned(takeAll, [current, stale])[0]).toBe('x: a0 a1 a2 data')
  })

  it('reads its members from the answer to the join', () => {
    const ownedPartitions = packPartitions([{ topic: 'a', partition: 4 }])
    const metadata = encodeSubscription({
      topics: ['a'],
      userData: Buffer.from('u'),
      ownedPartitions,
      generationId: 6,
      rackId: null
    })
    const answer = {
      throttleTimeMs: 0,
      errorCode: 0,
      generationId: 7,
      protocolType: null,
      protocolName: null,
      leader: 'm',
      skipAssignment: false,
      memberId: 'm',
      members: [{ memberId: 'm', groupInstanceId: null, metadata }]
    }
    expect(joinedMembers(answer)).toEqual([
      {
        memberId: 'm',
        groupInstanceId: undefined,
        topics: ['a'],
        userData: Buffer.from('u'),
        ownedPartitions: [{ topic: 'a', partition: 4 }],
        generationId: 6
      }
    ])
  })
})
