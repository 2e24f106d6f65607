import { CorruptionError, FileSystemError } from '../errors.ts'
import { AppendFailedError, LogDirectoryFailedError, PartitionClosedError } from '../storage/errors.ts'
import { ErrorCode, type ErrorName, ProtocolError } from '../wire/errors.ts'

/** What a response says of a failure. */
export interface Failure {
  readonly errorCode: number
  readonly errorMessage: string
}

/**
 * Kafka's code for an error met while serving a request; undefined for one that no code stands for, which is a defect of ours.
 */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof ProtocolError) return { errorCode: error.errorCode, errorMessage: error.message }
  const name = storageErrorName(error)
  if (name === undefined || !(error instanceof Error)) return undefined
  return { errorCode: ErrorCode[name], errorMessage: error.message }
}

function storageErrorName(error: unknown): ErrorName | undefined {
  if (error instanceof AppendFailedError || error instanceof LogDirectoryFailedError) return 'KAFKA_STORAGE_ERROR'
  if (error instanceof FileSystemError) return 'KAFKA_STORAGE_ERROR'
  if (error instanceof CorruptionError) return 'CORRUPT_MESSAGE'
  if (error instanceof PartitionClosedError) return 'NOT_LEADER_OR_FOLLOWER'
  return undefined
}

/** Like {@link failureOf}; a defect of ours is thrown on. */
export function failureOrThrow(error: unknown): Failure {
  const failure = failureOf(error)
  if (failure === undefined) throw error
  return failure
}
