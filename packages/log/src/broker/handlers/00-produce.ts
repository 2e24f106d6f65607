import type { Partition } from '../../partition/partition.ts'
import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import {
  BATCH_HEADER_BYTES,
  BatchAttribute,
  batchAttributes,
  batchProducerEpoch,
  batchProducerId,
  batchSizeBytes
} from '../../wire/batch/header.ts'
import { type ErrorName, type ProtocolError, protocolError } from '../../wire/errors.ts'
import type { produce } from '../../wire/messages/index.ts'
import { isQueueing, takeTurn } from '../admission-order.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../coordination/partition-directory.ts'
import type { BrokerContext, Handler, RequestSession } from '../handler.ts'
import { ledPartition } from '../led-partition.ts'
import { ProduceOutcome } from '../produce-outcome.ts'
import { topicConfigValue } from '../topic-config.ts'
import { type AdmissionRequest, admit, checkStillOpen, isAdmitted } from '../transaction-admission.ts'

type Request = RequestOf<typeof produce>
type Response = ResponseOf<typeof produce>

const ZSTD = 4
const ZSTD_VERSION = 7

/** A batch that passed the first look, and the partition it is for. */
interface CheckedBatch {
  readonly partition: Partition
  readonly batch: Buffer
  readonly outcome: ProduceOutcome
}

interface Sent {
  readonly request: Request
  readonly session: RequestSession
}

/**
 * Produce. Each partition's batch stands for itself:
 * 1. check the request and the batch's frame,
 * 2. append; a batch whose transaction the partition does not know yet waits until the coordinator has added (version 12 on) or
 *    verified it (KIP-890),
 * 3. with acks -1, wait until the batch is committed, up to the request's timeout. A duplicate waits for its original.
 *
 * The batches of one producer enter a partition in the order of their requests: those that wait for the coordinator are let go in order.
 */
export const handleProduce: Handler<typeof produce> = async (context, request, session) => {
  const checked: CheckedBatch[] = []
  const outcomes = request.topicData.map(({ partitionData }) =>
    partitionData.map(({ index }) => new ProduceOutcome(index))
  )
  request.topicData.forEach(({ name, partitionData }, topicIndex) => {
    partitionData.forEach(({ records }, partitionIndex) => {
      const outcome = outcomes[topicIndex][partitionIndex]
      outcome.attempt(context, () =>
        checked.push(check(context, { request, session }, { topic: name, records, outcome }))
      )
    })
  })
  const waiting = checked.filter(mustWait)
  for (const batch of checked) if (!waiting.includes(batch)) append(context, batch)
  if (waiting.length > 0) await appendAdmitted(context, waiting, { request, session })
  if (request.acks === -1) await committed(context, checked, request.timeoutMs)
  return response(request, outcomes)
}

function check(
  context: BrokerContext,
  { request, session }: Sent,
  part: { readonly topic: string; readonly records: readonly Buffer[] | null; readonly outcome: ProduceOutcome }
): CheckedBatch {
  const { topic, outcome } = part
  const refusal = (name: ErrorName, message?: string): ProtocolError =>
    protocolError(name, { topic, partition: outcome.index, ...(message === undefined ? {} : { message }) })
  if (![-1, 0, 1].includes(request.acks)) throw refusal('INVALID_REQUIRED_ACKS')
  if (topic === OFFSETS_TOPIC || topic === TRANSACTIONS_TOPIC) throw refusal('INVALID_TOPIC_EXCEPTION')
  const partition = ledPartition(context, topic, outcome.index)
  const batch = onlyBatch(part.records, refusal)
  const codec = batchAttributes(batch) & BatchAttribute.codecMask
  if (codec === ZSTD && session.apiVersion < ZSTD_VERSION) throw refusal('UNSUPPORTED_COMPRESSION_TYPE')
  if (request.acks === -1) checkInSyncReplicas(context, partition, refusal)
  return { partition, batch, outcome }
}

type Refusal = (name: ErrorName, message?: string) => ProtocolError

/** Clients of version 3 and later send exactly one batch a partition. */
function onlyBatch(records: readonly Buffer[] | null, refusal: Refusal): Buffer {
  if (records === null || records.length === 0) throw refusal('INVALID_RECORD', 'there is no batch')
  const [batch] = records
  if (batch.length < BATCH_HEADER_BYTES || batchSizeBytes(batch) > batch.length) {
    throw refusal('CORRUPT_MESSAGE', 'the batch is cut off')
  }
  if (records.length > 1 || batchSizeBytes(batch) < batch.length) {
    throw refusal('INVALID_RECORD', 'there is more than one batch')
  }
  return batch
}

function checkInSyncReplicas(context: BrokerContext, { topic, index }: Partition, refusal: Refusal): void {
  const info = context.topics.get(topic)
  if (info === undefined) throw refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const required = Number(topicConfigValue(info.configs, 'min.insync.replicas'))
  const inSync = info.partitions[index].inSyncReplicas.length
  if (inSync < required) {
    throw refusal('NOT_ENOUGH_REPLICAS', `min.insync.replicas is ${required}, in sync are ${inSync}`)
  }
}

function isTransactional(batch: Buffer): boolean {
  return (batchAttributes(batch) & BatchAttribute.transactional) !== 0
}

function producerOf(batch: Buffer): string {
  return `${batchProducerId(batch)}/${batchProducerEpoch(batch)}`
}

/** Whether it must be let in by the coordinator, or comes behind one that must. */
function mustWait({ partition, batch }: CheckedBatch): boolean {
  if (!isTransactional(batch)) return false
  return !isAdmitted(partition, batch) || isQueueing(partition, producerOf(batch))
}

function append(context: BrokerContext, { partition, batch, outcome }: CheckedBatch): void {
  outcome.attempt(context, () => {
    const appended = partition.append(batch, 'client')
    outcome.appended({ ...appended, logStartOffset: partition.logStartOffset })
  })
}

/** The coordinator is asked once for each producer; a request has one as a rule. */
async function appendAdmitted(context: BrokerContext, waiting: readonly CheckedBatch[], sent: Sent): Promise<void> {
  const queued = waiting.map((checked) => ({
    ...checked,
    turn: takeTurn(checked.partition, producerOf(checked.batch))
  }))
  const producers = Map.groupBy(queued, ({ batch }) => producerOf(batch))
  for (const batches of producers.values()) {
    const admission = admissionRequest(batches, sent)
    try {
      await admit(context, admission)
    } catch (error) {
      for (const { outcome } of batches) outcome.failed(context, error)
    }
    for (const checked of batches) {
      await checked.turn.come
      checked.outcome.attempt(context, () => checkStillOpen(context, admission, checked.partition))
      append(context, checked)
      checked.turn.end()
    }
  }
}

function admissionRequest(batches: readonly CheckedBatch[], { request, session }: Sent): AdmissionRequest {
  return {
    transactionalId: request.transactionalId ?? '',
    producerId: batchProducerId(batches[0].batch),
    producerEpoch: batchProducerEpoch(batches[0].batch),
    partitions: batches.map(({ partition }) => partition),
    apiVersion: session.apiVersion
  }
}

/** A timeout leaves the rest to fate: the batches are in the log and will be committed, but the client must ask again. */
async function committed(context: BrokerContext, checked: readonly CheckedBatch[], timeoutMs: number): Promise<void> {
  const appended = checked.filter(({ outcome }) => outcome.lastOffset >= 0)
  const commits = appended.map(({ partition, outcome }) =>
    partition.whenCommitted(outcome.lastOffset).then(
      () => outcome.committed(),
      (error) => outcome.failed(context, error)
    )
  )
  await new Promise<void>((resolve) => {
    const timer = context.environment.timers.set(timeoutMs, resolve, { background: true })
    Promise.all(commits).then(() => {
      timer.cancel()
      resolve()
    })
  })
  for (const { partition, outcome } of appended) {
    if (!outcome.isSettled) {
      const { topic, index } = partition
      outcome.failed(context, protocolError('REQUEST_TIMED_OUT', { topic, partition: index }))
    }
  }
}

function response(request: Request, outcomes: readonly (readonly ProduceOutcome[])[]): Response {
  return {
    responses: request.topicData.map(({ name }, topicIndex) => ({
      name,
      partitionResponses: outcomes[topicIndex].map((outcome) => outcome.response())
    })),
    throttleTimeMs: 0,
    nodeEndpoints: []
  }
}
