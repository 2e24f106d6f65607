import { CorruptionError } from '../errors.ts'
import type { SavedVote } from './quorum.ts'

/** Name of the file, beside the metadata log's segments. */
export const QUORUM_STATE_FILE = 'quorum-state'

/** The bytes of Kafka's quorum-state file (JSON, data version 0). */
export function formatQuorumState(saved: SavedVote, voters: readonly number[]): string {
  return JSON.stringify({
    clusterId: '',
    leaderId: saved.leaderId,
    leaderEpoch: saved.leaderEpoch,
    votedId: saved.votedId,
    appliedOffset: 0,
    currentVoters: voters.map((voterId) => ({ voterId })),
    data_version: 0
  })
}

/**
 * Reads a quorum-state file. @param path names the file in the error.
 * @throws CorruptionError when it is no such file; the vote is then unknown, and so is whether it is safe to vote again.
 */
export function parseQuorumState(text: string, path: string): SavedVote {
  const fields = parseObject(text, path)
  const leaderId = integer(fields, 'leaderId')
  const leaderEpoch = integer(fields, 'leaderEpoch')
  const votedId = integer(fields, 'votedId')
  if (leaderId === undefined || leaderEpoch === undefined || votedId === undefined) {
    throw corrupt(path, 'leaderId, leaderEpoch or votedId is missing')
  }
  return { leaderId, leaderEpoch, votedId }
}

function parseObject(text: string, path: string): object {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch (cause) {
    throw corrupt(path, 'it is not JSON', cause)
  }
  throw corrupt(path, 'it is not a JSON object')
}

function integer(fields: object, name: string): number | undefined {
  const value: unknown = Reflect.get(fields, name)
  return Number.isInteger(value) ? Number(value) : undefined
}

function corrupt(path: string, problem: string, cause?: unknown): CorruptionError {
  return new CorruptionError(
    { message: `${path} is damaged: ${problem}; restore it from a copy of the directory`, path, position: 0 },
    cause === undefined ? undefined : { cause }
  )
}
