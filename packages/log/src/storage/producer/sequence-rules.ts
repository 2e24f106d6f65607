import { type ErrorName, protocolError } from '../../wire/errors.ts'
import { lastSequenceOf, type ProducerEntry, SEQUENCE_MAX } from './producer-entry.ts'

/** The fields of a batch that the rules look at. */
export interface ProducerFields {
  readonly producerId: number
  readonly epoch: number
  readonly baseSequence: number
  readonly transactional: boolean
}

/** Where a refused batch was to go. */
export interface PartitionName {
  readonly topic: string
  readonly partition: number
}

/**
 * What an idempotent or transactional batch must satisfy beside not being a duplicate (Kafka's rules):
 * - its epoch is not below the known one;
 * - a new epoch begins with sequence 0, the same epoch goes on where it was, and any sequence is taken from a producer of which
 *   nothing is known (its state may have expired);
 * - inside an open transaction every batch is transactional.
 *
 * Sequences are checked for clients only: a coordinator's batches have none.
 * @throws ProtocolError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE
 */
export function checkProducerBatch(
  entry: ProducerEntry | undefined,
  batch: ProducerFields,
  options: { readonly at: PartitionName; readonly checkSequence: boolean }
): void {
  if (entry === undefined) return
  const refuse = (name: ErrorName, message: string) => protocolError(name, { ...options.at, message })
  if (batch.epoch < entry.epoch) {
    throw refuse(
      'INVALID_PRODUCER_EPOCH',
      `producer ${batch.producerId} sent epoch ${batch.epoch}, known is ${entry.epoch}`
    )
  }
  if (options.checkSequence) {
    const expected = expectedSequence(entry, batch.epoch)
    if (expected !== undefined && batch.baseSequence !== expected) {
      throw refuse(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `producer ${batch.producerId} (epoch ${batch.epoch}) sent sequence ${batch.baseSequence}, expected is ${expected}`
      )
    }
  }
  if (entry.transactionFirstOffset >= 0 && !batch.transactional) {
    throw refuse('INVALID_TXN_STATE', `producer ${batch.producerId} sent a plain batch inside its transaction`)
  }
}

/**
 * What a transaction's end marker must satisfy.
 * @throws ProtocolError INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED
 */
export function checkMarker(
  entry: ProducerEntry | undefined,
  marker: { readonly producerId: number; readonly producerEpoch: number; readonly coordinatorEpoch: number },
  at: PartitionName
): void {
  if (entry === undefined) return
  if (marker.producerEpoch < entry.epoch) {
    throw protocolError('INVALID_PRODUCER_EPOCH', {
      ...at,
      message: `a marker for producer ${marker.producerId} has epoch ${marker.producerEpoch}, known is ${entry.epoch}`
    })
  }
  if (marker.coordinatorEpoch < entry.coordinatorEpoch) {
    throw protocolError('TRANSACTION_COORDINATOR_FENCED', {
      ...at,
      message: `a marker for producer ${marker.producerId} comes from coordinator epoch ${marker.coordinatorEpoch}, known is ${entry.coordinatorEpoch}`
    })
  }
}

function expectedSequence(entry: ProducerEntry, epoch: number): number | undefined {
  if (entry.epoch === -1) return undefined
  if (epoch !== entry.epoch) return 0
  const last = lastSequenceOf(entry)
  return last === SEQUENCE_MAX ? 0 : last + 1
}
