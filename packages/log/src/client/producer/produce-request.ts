import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { produce } from '../../wire/messages/index.ts'
import { groupByTopic } from '../topic-partition.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerConfig } from './producer-options.ts'

/** One partition's part of a request under way. */
export interface SentPart {
  readonly topic: string
  readonly partition: number
  readonly batch: ProducerBatch
  readonly bytes: Buffer
}

/** What a broker said about one batch. */
export interface ProduceAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly baseOffset: number
  readonly logAppendTimeMs: number
}

/** One batch a partition, as brokers demand. */
export function produceRequest(
  parts: readonly SentPart[],
  config: ProducerConfig,
  timeoutMs: number
): RequestOf<typeof produce> {
  const topicData = [...groupByTopic(parts)].map(([name, entries]) => ({
    name,
    partitionData: entries.map(({ partition, bytes }) => ({ index: partition, records: [bytes] }))
  }))
  return { transactionalId: config.transactionalId, acks: config.acks, timeoutMs, topicData }
}

/** The answer about one partition. A broker that was asked for no acknowledgement says nothing about it, which counts as success. */
export function answerFor(response: ResponseOf<typeof produce>, part: SentPart, acks: number): ProduceAnswer {
  const topic = response.responses.find(({ name }) => name === part.topic)
  const found = topic?.partitionResponses.find(({ index }) => index === part.partition)
  if (found !== undefined) return found
  const errorCode = acks === 0 ? ErrorCode.NONE : ErrorCode.NETWORK_EXCEPTION
  return { errorCode, errorMessage: null, baseOffset: -1, logAppendTimeMs: -1 }
}
