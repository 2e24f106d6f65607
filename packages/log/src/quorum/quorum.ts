import { InvariantError, UsageError } from '../errors.ts'

/**
 * The quorum that agrees on the metadata log, seen from one voter: (state, input) -> (state, effects), nothing else. What must be durable before
 * the next step is an effect whose completion comes back as an input.
 *
 * A leader's life in a set of one voter:
 * 1. `start`: the voter enters the next epoch and votes for itself; the vote is persisted.
 * 2. `persisted`: it has the majority, is leader, and appends a LeaderChange record first of all.
 * 3. `appended`, then `synced`: once that record is on the disk, the high watermark passes it and proposals may be exposed.
 * 4. Every further record is committed as soon as a majority of voters, here one, has it on disk.
 */
export interface QuorumState {
  readonly self: number
  readonly voters: readonly number[]
  readonly role: 'unattached' | 'candidate' | 'leader'
  readonly epoch: number
  /** Voter that got our vote in this epoch; -1 for none. */
  readonly votedFor: number
  /** -1 while unknown. */
  readonly leader: number
  /** Offset of this epoch's LeaderChange record; -1 before it was appended. */
  readonly epochStartOffset: number
  /** Per voter, the end of what it has on disk. */
  readonly syncedEnds: ReadonlyMap<number, number>
  /** All below it is agreed. */
  readonly highWatermark: number
}

/** What happens to a voter. */
export type QuorumInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'persisted'; readonly epoch: number }
  | { readonly kind: 'appended'; readonly baseOffset: number }
  | { readonly kind: 'synced'; readonly endOffset: number }

/** What a voter wants done. */
export type QuorumEffect =
  /** Write quorum-state and sync it, then answer with `persisted`. */
  | { readonly kind: 'persist'; readonly saved: SavedVote }
  /** Append the LeaderChange control record with this epoch, answer with `appended`, and with `synced` once it is on disk. */
  | {
      readonly kind: 'append-leader-change'
      readonly epoch: number
      readonly leader: number
      readonly voters: readonly number[]
    }
  /** Everything below is agreed and may be applied. */
  | { readonly kind: 'commit'; readonly highWatermark: number }

/** What a voter must remember across restarts. */
export interface SavedVote {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly votedId: number
}

/** State and what to do about it. */
export interface QuorumStep {
  readonly state: QuorumState
  readonly effects: readonly QuorumEffect[]
}

/**
 * The state of a voter that opens its log.
 * @param saved what quorum-state says; undefined for a new log.
 * @param lastEpoch epoch of the last record in the log, 0 when it is empty.
 */
export function openQuorum(options: {
  readonly self: number
  readonly voters: readonly number[]
  readonly saved: SavedVote | undefined
  readonly lastEpoch: number
}): QuorumState {
  const { self, voters, saved, lastEpoch } = options
  if (voters.length !== 1 || voters[0] !== self) {
    throw new UsageError(`a quorum of voters [${voters.join(', ')}] was asked for; voter ${self} can only be alone`)
  }
  const epoch = Math.max(saved?.leaderEpoch ?? 0, lastEpoch)
  return {
    self,
    voters,
    role: 'unattached',
    epoch,
    votedFor: saved?.leaderEpoch === epoch ? saved.votedId : -1,
    leader: -1,
    epochStartOffset: -1,
    syncedEnds: new Map(),
    highWatermark: 0
  }
}

/** One step. @throws InvariantError for an input that cannot follow this state. */
export function stepQuorum(state: QuorumState, input: QuorumInput): QuorumStep {
  switch (input.kind) {
    case 'start':
      return campaign(state)
    case 'persisted':
      return takeOffice(state, input.epoch)
    case 'appended':
      return noteEpochStart(state, input.baseOffset)
    case 'synced':
      return advance(state, input.endOffset)
  }
}

function campaign(state: QuorumState): QuorumStep {
  if (state.role !== 'unattached') throw unexpected(state, 'start')
  const epoch = state.epoch + 1
  const next: QuorumState = {
    ...state,
    role: 'candidate',
    epoch,
    votedFor: state.self,
    leader: -1,
    epochStartOffset: -1
  }
  return {
    state: next,
    effects: [{ kind: 'persist', saved: { leaderId: -1, leaderEpoch: epoch, votedId: state.self } }]
  }
}

function takeOffice(state: QuorumState, persistedEpoch: number): QuorumStep {
  if (persistedEpoch !== state.epoch || state.role !== 'candidate') return { state, effects: [] }
  const { epoch, self, voters } = state
  const next: QuorumState = { ...state, role: 'leader', leader: self }
  return {
    state: next,
    effects: [
      { kind: 'append-leader-change', epoch, leader: self, voters },
      { kind: 'persist', saved: { leaderId: self, leaderEpoch: epoch, votedId: self } }
    ]
  }
}

function noteEpochStart(state: QuorumState, baseOffset: number): QuorumStep {
  if (state.role !== 'leader') throw unexpected(state, 'appended')
  if (state.epochStartOffset !== -1) return { state, effects: [] }
  return { state: { ...state, epochStartOffset: baseOffset }, effects: [] }
}

/** The high watermark is what a majority has on disk, but never exposed before a record of the leader's own epoch is. */
function advance(state: QuorumState, endOffset: number): QuorumStep {
  if (state.role !== 'leader') throw unexpected(state, 'synced')
  const syncedEnds = new Map(state.syncedEnds).set(
    state.self,
    Math.max(endOffset, state.syncedEnds.get(state.self) ?? 0)
  )
  const descending = state.voters.map((voter) => syncedEnds.get(voter) ?? 0).sort((a, b) => b - a)
  const agreed = descending[Math.floor(state.voters.length / 2)]
  const ownEpochIn = state.epochStartOffset !== -1 && agreed > state.epochStartOffset
  if (!ownEpochIn || agreed <= state.highWatermark) return { state: { ...state, syncedEnds }, effects: [] }
  return {
    state: { ...state, syncedEnds, highWatermark: agreed },
    effects: [{ kind: 'commit', highWatermark: agreed }]
  }
}

function unexpected(state: QuorumState, input: string): InvariantError {
  return new InvariantError(`quorum voter ${state.self} got '${input}' as ${state.role} of epoch ${state.epoch}`)
}
