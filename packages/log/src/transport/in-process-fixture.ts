import type { Environment } from '../environment/environment.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { decodeBatches } from '../wire/batch/record-batch.ts'
import { withDefaults } from '../wire/codec.ts'
import * as messages from '../wire/messages/index.ts'
import type { PartialOf } from '../wire/schema.ts'
import { encodingInProcess } from './encoding-in-process.ts'
import { InProcessTransport, type ServingBroker } from './in-process.ts'
import type { SendOptions, Transport } from './transport.ts'

type ProducedPartition = ResponseOf<typeof messages.produce>['responses'][number]['partitionResponses'][number]
type FetchedPartition = ResponseOf<typeof messages.fetch>['responses'][number]['partitions'][number]

/** What a test fetches; the rest is Kafka's usual. */
export interface FetchFrom {
  readonly topic: string
  readonly partition?: number
  readonly offset: number
  readonly minBytes?: number
  readonly maxWaitMs?: number
  readonly maxBytes?: number
  readonly committed?: boolean
}

/** Speaks to a broker in few words. */
export class BrokerClient {
  readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** Sends a request of which only the fields that matter are given. */
  send<A extends Api>(api: A, request: PartialOf<RequestOf<A>>, options?: SendOptions): Promise<ResponseOf<A>> {
    return this.transport.send(api, withDefaults(api.request, request as never) as RequestOf<A>, options)
  }

  async createTopic(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const { topics } = await this.send(messages.createTopics, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: -1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value }))
        }
      ]
    })
    if (topics[0].errorCode !== 0) throw topics[0]
    return topics[0].topicId
  }

  async produce(
    topic: string,
    batch: Buffer,
    options: {
      partition?: number
      acks?: number
      timeoutMs?: number
      transactionalId?: string
      send?: SendOptions
    } = {}
  ): Promise<ProducedPartition> {
    const index = options.partition ?? 0
    const request = {
      transactionalId: options.transactionalId ?? null,
      acks: options.acks ?? -1,
      timeoutMs: options.timeoutMs ?? 30_000,
      topicData: [{ name: topic, partitionData: [{ index, records: [batch] }] }]
    }
    const { responses } = await this.transport.send(messages.produce, request, options.send)
    return responses[0].partitionResponses[0]
  }

  async fetch(from: FetchFrom, options?: SendOptions): Promise<FetchedPartition> {
    const { responses } = await this.send(
      messages.fetch,
      {
        maxWaitMs: from.maxWaitMs ?? 0,
        minBytes: from.minBytes ?? 1,
        isolationLevel: from.committed ? 1 : 0,
        topics: [
          {
            topic: from.topic,
            partitions: [
              {
                partition: from.partition ?? 0,
                fetchOffset: from.offset,
                partitionMaxBytes: from.maxBytes ?? 1024 * 1024
              }
            ]
          }
        ]
      },
      // By name, so the last version that has names.
      { maxVersion: 12, ...options }
    )
    return responses[0].partitions[0]
  }

  /** Values of all records from an offset on, up to the high watermark. */
  async values(topic: string, partition = 0): Promise<string[]> {
    const values: string[] = []
    let offset = 0
    for (;;) {
      const fetched = await this.fetch({ topic, partition, offset })
      const batches = (fetched.records ?? []).flatMap(decodeBatches)
      if (batches.length === 0) return values
      for (const batch of batches) {
        offset = batch.lastOffset + 1
        if (batch.isControl) continue
        const cursor = batch.records()
        while (cursor.next()) values.push(cursor.value()?.toString() ?? '')
      }
    }
  }
}

/** The two ways to speak to a broker in process: by reference, and in bytes. */
export const inProcessTransports: readonly [string, (broker: ServingBroker) => ServingBroker][] = [
  ['by reference', (broker) => broker],
  ['encoded', encodingInProcess]
]

/** A client in the broker's process. */
export function inProcessClient(broker: ServingBroker, environment: Environment): BrokerClient {
  return new BrokerClient(new InProcessTransport(broker, { timers: environment.timers, clientId: 'test' }))
}
