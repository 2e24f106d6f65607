import { MillraceError } from '../errors.ts'
import { type ErrorName, errorTable } from './error-table.ts'

export type { ErrorName } from './error-table.ts'

const names = new Map<number, ErrorName>(
  Object.entries(errorTable).map(([name, entry]) => [entry.errorCode, name as ErrorName])
)

/** Kafka's error codes as numbers: `ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER` is 45, `ErrorCode.NONE` is 0. */
export const ErrorCode = Object.fromEntries(
  Object.entries(errorTable).map(([name, entry]) => [name, entry.errorCode])
) as { readonly [Name in ErrorName]: (typeof errorTable)[Name]['errorCode'] }

/** Name of a numeric code; a code that a newer broker made up counts as `UNKNOWN_SERVER_ERROR`. */
export function errorName(errorCode: number): ErrorName {
  return names.get(errorCode) ?? 'UNKNOWN_SERVER_ERROR'
}

/** Whether the same request may succeed later, as Kafka's clients judge it. */
export function isRetriable(errorCode: number): boolean {
  return errorTable[errorName(errorCode)].retriable
}

/** Where a protocol error happened. */
export interface ErrorPlace {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
}

/** What `protocolError` adds to the code. */
export interface ProtocolErrorDetails extends ErrorPlace {
  /** What happened and what to do; Kafka's meaning of the code when absent. */
  readonly message?: string
  readonly cause?: unknown
}

/**
 * An error of the Kafka protocol, thrown by a broker's parts and rebuilt by the client from a response's code. `errorCode` is Kafka's
 * number, `errorName` its name, `code` is `KAFKA_<NAME>`, `retriable` tells whether the same request may succeed later.
 */
export class ProtocolError extends MillraceError {
  readonly code: `KAFKA_${ErrorName}`
  readonly errorName: ErrorName
  readonly errorCode: number
  readonly retriable: boolean
  readonly topic: string | undefined
  readonly partition: number | undefined
  readonly offset: number | undefined

  constructor(name: ErrorName, details: ProtocolErrorDetails = {}, errorCode: number = errorTable[name].errorCode) {
    const text = `${name} (${errorCode})${place(details)}: ${details.message ?? errorTable[name].meaning}`
    super(text, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = `KAFKA_${name}`
    this.errorName = name
    this.errorCode = errorCode
    this.retriable = errorTable[name].retriable
    this.topic = details.topic
    this.partition = details.partition
    this.offset = details.offset
  }
}

/** Makes the error of a name: `throw protocolError('OUT_OF_ORDER_SEQUENCE_NUMBER', { topic, partition, message })`. */
export function protocolError(name: ErrorName, details?: ProtocolErrorDetails): ProtocolError {
  return new ProtocolError(name, details)
}

/** Makes the error of a response's numeric code, which it keeps even when it is unknown here. */
export function errorFromCode(errorCode: number, details?: ProtocolErrorDetails): ProtocolError {
  return new ProtocolError(errorName(errorCode), details, errorCode)
}

function place({ topic, partition, offset }: ErrorPlace): string {
  if (topic === undefined) return ''
  const where = partition === undefined ? topic : `${topic}-${partition}`
  return offset === undefined ? ` at ${where}` : ` at ${where} offset ${offset}`
}
