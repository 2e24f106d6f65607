import {
  AbortableTransactionError,
  BufferFullError,
  ClientTimeoutError,
  CommitRefusedError,
  DeliveryError,
  FatalProducerError,
  FileSystemError,
  LockHeldError,
  MillraceError,
  NetworkError,
  ProducerFencedError,
  ProtocolError,
  UnknownOutcomeError
} from '@millrace/log'
import { StoreDamagedError } from '@millrace/streams'
import { SinkFencedError, TransientSinkError, TransientSourceError } from '../errors.ts'
import { RefusalsInARowError } from './errors.ts'

/**
 * What a failure asks for: `transient` passes by itself, so it is tried again for ever, ever more slowly; `permanent` would only come again;
 * `fenced` means that another runner does the work; `crash` is unknown, and may happen a few times.
 */
export type FailureKind = 'transient' | 'permanent' | 'fenced' | 'crash'

const TRANSIENT = [
  TransientSourceError,
  TransientSinkError,
  AbortableTransactionError,
  UnknownOutcomeError,
  ClientTimeoutError,
  NetworkError,
  BufferFullError,
  CommitRefusedError,
  FatalProducerError,
  // A predecessor in this process, which is fenced already, has not let its state go yet.
  LockHeldError,
  StoreDamagedError
]
/** Codes of operating systems for what has nothing to do with the data: a target that is away, a disk that is full. */
const PASSING_CODES = new Set([
  'EAGAIN',
  'EAI_AGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EDQUOT',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETUNREACH',
  'ENFILE',
  'ENOSPC',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET'
])

/** Tells failures apart. Causes count: a driver's error wrapped in another is still a lost connection. */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof ProducerFencedError) return 'fenced'
  // It comes back as a new member of the group; two that fence each other in turns spend their crash budgets.
  if (error instanceof SinkFencedError || error instanceof RefusalsInARowError) return 'crash'
  if (isTransient(error)) return 'transient'
  return error instanceof MillraceError ? 'permanent' : 'crash'
}

/** Whether a failure passes by itself. */
export function isTransient(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const one = cause
    if (TRANSIENT.some((kind) => one instanceof kind)) return true
    if (one instanceof DeliveryError && one.timedOut) return true
    if (one instanceof ProtocolError && one.retriable) return true
    if (one instanceof FileSystemError && PASSING_CODES.has(one.systemCode)) return true
    if (!(one instanceof MillraceError) && 'code' in one && PASSING_CODES.has(String(one.code))) return true
  }
  return false
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
