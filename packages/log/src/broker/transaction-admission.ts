import type { Partition } from '../partition/partition.ts'
import { batchProducerEpoch, batchProducerId } from '../wire/batch/header.ts'
import { ErrorCode, errorFromCode, protocolError } from '../wire/errors.ts'
import type { BrokerContext } from './handler.ts'

/** First version of Produce with which a partition joins the transaction by being written to (KIP-890, part 2). */
const IMPLICIT_ADD_VERSION = 12
/** First version of Produce whose clients understand TRANSACTION_ABORTABLE. */
const ABORTABLE_VERSION = 11

/** Batches of one transactional producer that wait to be let into partitions. */
export interface AdmissionRequest {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly partitions: readonly Partition[]
  readonly apiVersion: number
}

/** Whether the partition has the batch's transaction open already, so that the coordinator need not be asked. */
export function isAdmitted(partition: Partition, batch: Buffer): boolean {
  return partition.hasOpenTransaction(batchProducerId(batch), batchProducerEpoch(batch))
}

/**
 * Has the coordinator add the partitions to the producer's transaction, or with the older protocol verify that the client did. Resolves
 * when the coordinator's state is durable: data of a transaction that nobody knows would block its readers for ever.
 * @throws ProtocolError with the coordinator's code
 */
export async function admit(context: BrokerContext, request: AdmissionRequest): Promise<void> {
  const byTopic = new Map<string, number[]>()
  for (const { topic, index } of request.partitions) byTopic.set(topic, [...(byTopic.get(topic) ?? []), index])
  const errorCode =
    request.apiVersion >= IMPLICIT_ADD_VERSION
      ? await context.transactions.addPartitions(request, byTopic, 2)
      : await context.transactions.verifyPartitions(request, byTopic)
  if (errorCode !== ErrorCode.NONE) throw errorFromCode(codeFor(errorCode, request.apiVersion))
}

/**
 * The same question for the instant before an append: between the coordinator's answer and now the transaction may have
 * been aborted, and data written after its marker would hang.
 * @throws ProtocolError TRANSACTION_ABORTABLE, or INVALID_TXN_STATE for clients that do not know it
 */
export function checkStillOpen(context: BrokerContext, request: AdmissionRequest, partition: Partition): void {
  if (context.transactions.isOpenIn(request, partition.topic, partition.index)) return
  const name = request.apiVersion >= ABORTABLE_VERSION ? 'TRANSACTION_ABORTABLE' : 'INVALID_TXN_STATE'
  throw protocolError(name, { topic: partition.topic, partition: partition.index })
}

function codeFor(errorCode: number, apiVersion: number): number {
  const unknownToClient = errorCode === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < ABORTABLE_VERSION
  return unknownToClient ? ErrorCode.INVALID_TXN_STATE : errorCode
}
