import type { RecordOrigin, StreamRecord } from '../graph/record.ts'
import type { FailureRoute } from '../processor/async-host.ts'
import type { DropCounter } from '../processor/dropped-records.ts'
import { ProcessingError } from '../processor/errors.ts'
import type { Forward } from '../processor/processor.ts'
import type { RecordCollector } from '../processor/record-collector.ts'
import type { EmissionSource } from '../processor/task-context.ts'
import { notReadyCause } from '../serde/not-ready-error.ts'
import { deadLetterRecord } from './dead-letter.ts'
import type { ErrorPolicies, ErrorPolicy } from './error-policy.ts'
import { DeserializationError, EmissionError } from './errors.ts'
import type { OriginalRecord, PartitionQueue } from './partition-queue.ts'
import type { Stage } from './stage.ts'

/** An error after which a task goes on without the record, or without the emission. */
export type RecoverableError = DeserializationError | ProcessingError | EmissionError

/** What a recovery works with. */
export interface RecoveryParts {
  readonly policies: ErrorPolicies
  /** Where dead letters go: not staged, since what failed was undone already. */
  readonly collector: RecordCollector
  readonly dropCounter: (node: string) => DropCounter
  /** Hears of every record that was skipped or sent to a dead-letter topic. */
  readonly onSkipped?: (error: RecoverableError) => void
}

/** Whether any policy lets a task go on after an error in processing. */
export function mayGoOn(policies: ErrorPolicies): boolean {
  return policies.processing !== undefined && policies.processing.kind !== 'fail'
}

/**
 * Applies policies to records of the log. Errors that no policy covers (of the engine, of Millrace itself, of a serde that is not ready) are
 * thrown on.
 */
export function recordRecovery(
  parts: RecoveryParts
): (error: unknown, queue: Pick<PartitionQueue, 'original'>, origin: RecordOrigin) => void {
  return (error, queue, origin) => {
    if (notReadyCause(error) !== undefined) throw error
    if (error instanceof DeserializationError) {
      parts.dropCounter(error.node).add('deserialization-error')
      apply(parts, parts.policies.deserialization, { error, original: queue.original(), origin })
    } else if (error instanceof ProcessingError) {
      parts.dropCounter(error.node).add('processing-error')
      apply(parts, parts.policies.processing, { error, original: queue.original(), origin })
    } else throw error
  }
}

/**
 * Applies the processing policy to a record whose run is over when it fails. What a dead letter shows is kept from now on; what a commit or a punctuation
 * emitted has neither key nor value there.
 */
export function laterRecovery(
  parts: RecoveryParts,
  queueOf: (topic: string) => PartitionQueue
): (record: StreamRecord) => FailureRoute {
  const recover = recordRecovery(parts)
  const keepsOriginal = parts.policies.processing?.kind === 'dead-letter'
  const recoverEmission = punctuationRecovery(parts)
  return ({ origin, timestamp, headers }) => {
    if (origin.partition < 0) return (error) => recoverEmission(error, timestamp)
    const original = keepsOriginal ? queueOf(origin.topic).original() : { key: null, value: null, timestamp, headers }
    return (error) => recover(error, { original: () => original }, origin)
  }
}

/** Applies the processing policy to a punctuation. It has no record: a dead letter of it has neither key nor value, but says what failed. */
export function punctuationRecovery(parts: RecoveryParts): (error: unknown, timestamp: number) => void {
  return (error, timestamp) => {
    if (!(error instanceof ProcessingError)) throw error
    parts.dropCounter(error.node).add('processing-error')
    apply(parts, parts.policies.processing, { error, original: { key: null, value: null, timestamp, headers: [] } })
  }
}

/** Applies the processing policy to one result that is emitted at the commit: it alone is undone, and shown as the store has it. */
export function emissionGuard(
  parts: RecoveryParts,
  stage: Stage
): (emission: EmissionSource, forward: Forward) => Forward {
  return (emission, forward) => (record) => {
    stage.mark()
    try {
      forward(record)
      stage.release()
    } catch (cause) {
      stage.rollback()
      if (!(cause instanceof ProcessingError)) throw cause
      parts.dropCounter(cause.node).add('processing-error')
      const error = new EmissionError(emission.node, record.key, cause)
      const { timestamp, headers } = record
      apply(parts, parts.policies.processing, { error, original: { ...emission.encode(record), timestamp, headers } })
    }
  }
}

function apply(
  parts: RecoveryParts,
  policy: ErrorPolicy | undefined,
  failed: { readonly error: RecoverableError; readonly original: OriginalRecord; readonly origin?: RecordOrigin }
): void {
  const { error, original, origin } = failed
  if (policy === undefined || policy.kind === 'fail') throw error
  if (policy.kind === 'dead-letter') {
    const { node } = error
    parts.collector.send(deadLetterRecord(policy.topic, { ...original, node, error, ...(origin && { origin }) }))
  }
  parts.onSkipped?.(error)
}
