import { describe, expect, it } from 'vitest'
import { CorruptionError, InvariantError, UsageError } from '../errors.ts'
import { openQuorum, type QuorumEffect, type QuorumInput, type QuorumState, stepQuorum } from './quorum.ts'
import { formatQuorumState, parseQuorumState } from './quorum-state-file.ts'

function run(
  state: QuorumState,
  inputs: readonly QuorumInput[]
): { state: QuorumState; effects: readonly QuorumEffect[] } {
  let current = state
  let effects: readonly QuorumEffect[] = []
  for (const input of inputs) ({ state: current, effects } = stepQuorum(current, input))
  return { state: current, effects }
}

const fresh = { self: 1, voters: [1], saved: undefined, lastEpoch: 0 }

describe('quorum of one voter', () => {
  it('leads only after its vote is on disk', () => {
    const campaigning = stepQuorum(openQuorum(fresh), { kind: 'start' })
    expect(campaigning.state.role).toBe('candidate')
    expect(campaigning.effects).toEqual([{ kind: 'persist', saved: { leaderId: -1, leaderEpoch: 1, votedId: 1 } }])
    const leading = stepQuorum(campaigning.state, { kind: 'persisted', epoch: 1 })
    expect(leading.state.role).toBe('leader')
    expect(leading.effects[0]).toEqual({ kind: 'append-leader-change', epoch: 1, leader: 1, voters: [1] })
  })

  it('exposes nothing before a record of its own epoch is on disk', () => {
    const saved = { leaderId: 1, leaderEpoch: 7, votedId: 1 }
    const opened = openQuorum({ ...fresh, saved, lastEpoch: 7 })
    const office: QuorumInput[] = [
      { kind: 'start' },
      { kind: 'persisted', epoch: 8 },
      { kind: 'appended', baseOffset: 40 },
      { kind: 'synced', endOffset: 40 }
    ]
    expect(run(opened, office).effects).toEqual([])
    expect(run(opened, [...office, { kind: 'synced', endOffset: 41 }]).effects).toEqual([
      { kind: 'commit', highWatermark: 41 }
    ])
    expect(
      run(opened, [...office, { kind: 'synced', endOffset: 41 }, { kind: 'synced', endOffset: 41 }]).effects
    ).toEqual([])
  })

  it.each([
    ['a log ahead of the saved vote', { leaderId: 1, leaderEpoch: 3, votedId: 1 }, 5, 6],
    ['a saved vote ahead of the log', { leaderId: -1, leaderEpoch: 9, votedId: 1 }, 5, 10],
    ['no saved vote', undefined, 5, 6]
  ])('never reuses an epoch: %s', (_name, saved, lastEpoch, epoch) => {
    expect(run(openQuorum({ ...fresh, saved, lastEpoch }), [{ kind: 'start' }]).state.epoch).toBe(epoch)
  })

  it('ignores a late answer of an earlier campaign', () => {
    const { state } = run(openQuorum(fresh), [{ kind: 'start' }])
    expect(stepQuorum(state, { kind: 'persisted', epoch: 0 })).toEqual({ state, effects: [] })
  })

  it('says so when it is asked for what it cannot do', () => {
    expect(() => openQuorum({ ...fresh, voters: [1, 2, 3] })).toThrow(UsageError)
    expect(() => stepQuorum(openQuorum(fresh), { kind: 'synced', endOffset: 1 })).toThrow(InvariantError)
  })
})

describe('quorum-state file', () => {
  it('comes back as it was', () => {
    const saved = { leaderId: 1, leaderEpoch: 12, votedId: 1 }
    expect(parseQuorumState(formatQuorumState(saved, [1]), 'q')).toEqual(saved)
  })

  it.each(['', '{', '[]', '3', '{"leaderId":1}', '{"leaderId":"x","leaderEpoch":1,"votedId":1}'])(
    'refuses %j',
    (text) => {
      expect(() => parseQuorumState(text, 'dir/quorum-state')).toThrow(CorruptionError)
    }
  )
})
