import type { Environment } from '../../environment/environment.ts'
import { memoryEnvironment } from '../../environment/memory-environment.ts'
import type { Api, RequestOf, ResponseOf } from '../../wire/api.ts'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { decodeBatches, type RecordBatch } from '../../wire/batch/record-batch.ts'
import { withDefaults } from '../../wire/codec.ts'
import { errorName } from '../../wire/errors.ts'
import * as messages from '../../wire/messages/index.ts'
import type { PartialOf } from '../../wire/schema.ts'
import { type Broker, startBroker } from '../broker.ts'
import { type BrokerConfig, defaultBrokerConfig } from '../broker-config.ts'
import type { BrokerEvent } from '../event.ts'

/** How a test's broker is started. */
export interface FixtureOptions {
  readonly environment?: Environment
  readonly config?: Partial<BrokerConfig>
}

/** A transactional producer as a test drives it. */
export interface TestProducer {
  readonly transactionalId: string
  producerId: number
  producerEpoch: number
  /** Next sequence number, by partition of the topic `data`. */
  readonly sequences: Map<number, number>
}

/** Who asks: a client of this process or one of another, in the newest version or an older one. */
export interface AskOptions {
  readonly inProcess?: boolean
  readonly version?: number
}

/** A broker, and requests to it in few words. */
export class CoordinationFixture {
  readonly broker: Broker
  readonly environment: Environment
  readonly events: BrokerEvent[]

  constructor(broker: Broker, environment: Environment, events: BrokerEvent[]) {
    this.broker = broker
    this.environment = environment
    this.events = events
  }

  /** Starts a broker over the environment's files, with a topic `data` of four partitions. */
  static async start(options: FixtureOptions = {}): Promise<CoordinationFixture> {
    const events: BrokerEvent[] = []
    const environment = options.environment ?? memoryEnvironment()
    const broker = await startBroker({
      environment,
      directory: '/log',
      config: { ...defaultBrokerConfig, offsetsTopicPartitions: 3, transactionTopicPartitions: 3, ...options.config },
      holder: 'a test',
      advertised: { host: 'localhost', port: 9092 },
      onEvent: (event) => events.push(event)
    })
    const fixture = new CoordinationFixture(broker, environment, events)
    await fixture.ask(messages.createTopics, { topics: [{ name: 'data', numPartitions: 4, replicationFactor: 1 }] })
    await fixture.ask(messages.findCoordinator, { keyType: 0, coordinatorKeys: ['group'] })
    await fixture.ask(messages.findCoordinator, { keyType: 1, coordinatorKeys: ['tx'] })
    return fixture
  }

  /** Sends a request; what is left out has its default. */
  ask<A extends Api>(api: A, request: PartialOf<RequestOf<A>>, options: AskOptions = {}): Promise<ResponseOf<A>> {
    const inProcess = options.inProcess ?? true
    return this.broker.serve(api, withDefaults(api.request, request as PartialOf<never>) as RequestOf<A>, {
      clientId: 'client',
      clientHost: inProcess ? 'in-process' : '/10.0.0.1',
      apiVersion: options.version ?? api.maxVersion,
      inProcess
    })
  }

  /** InitProducerId, as a new instance or with what the producer knows of itself. */
  async init(
    transactionalId: string,
    options: AskOptions & { known?: TestProducer; timeoutMs?: number } = {}
  ): Promise<TestProducer> {
    const { known } = options
    const answer = await this.ask(
      messages.initProducerId,
      {
        transactionalId,
        transactionTimeoutMs: options.timeoutMs ?? 60_000,
        producerId: known?.producerId ?? -1,
        producerEpoch: known?.producerEpoch ?? -1
      },
      options
    )
    if (answer.errorCode !== 0) throw new TypeError(`InitProducerId: ${errorName(answer.errorCode)}`)
    return { transactionalId, ...answer, sequences: new Map() }
  }

  /** Produces one record to a partition of `data` in the producer's transaction; the name of the error. */
  async produce(producer: TestProducer, partition: number, value: string, version = 12): Promise<string> {
    const { producerId, producerEpoch, transactionalId } = producer
    const builder = new RecordBatchBuilder()
    builder.append(null, Buffer.from(value), this.environment.clock.nowMs())
    const baseSequence = producer.sequences.get(partition) ?? 0
    const records = [builder.build({ producerId, producerEpoch, baseSequence, transactional: true })]
    const request = {
      transactionalId,
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: 'data', partitionData: [{ index: partition, records }] }]
    }
    const answer = await this.ask(messages.produce, request, { version })
    const { errorCode } = answer.responses[0].partitionResponses[0]
    if (errorCode === 0) producer.sequences.set(partition, baseSequence + 1)
    return errorName(errorCode)
  }

  /** TxnOffsetCommit of one offset of data-0, by no member in particular; the name of the error. */
  async commitOffset(producer: TestProducer, offset: number, options: AskOptions = {}): Promise<string> {
    const { transactionalId, producerId, producerEpoch } = producer
    const topics = [
      { name: 'data', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'm' }] }
    ]
    const request = { transactionalId, producerId, producerEpoch, groupId: 'group', topics }
    const answer = await this.ask(messages.txnOffsetCommit, request, options)
    return errorName(answer.topics[0].partitions[0].errorCode)
  }

  /** EndTxn; takes over the new identity, and gives the name of the error. */
  async end(producer: TestProducer, committed: boolean, version = 5): Promise<string> {
    const { transactionalId, producerId, producerEpoch } = producer
    const answer = await this.ask(
      messages.endTxn,
      { transactionalId, producerId, producerEpoch, committed },
      { version }
    )
    if (answer.errorCode === 0 && version >= 5) {
      if (answer.producerId !== producerId || answer.producerEpoch !== producerEpoch) producer.sequences.clear()
      producer.producerId = answer.producerId
      producer.producerEpoch = answer.producerEpoch
    }
    return errorName(answer.errorCode)
  }

  /** The committed offset of data-0, -1 for none, or `unstable`. */
  async offset(): Promise<number | 'unstable'> {
    const groups = [{ groupId: 'group', topics: [{ name: 'data', partitionIndexes: [0] }] }]
    const answer = await this.ask(messages.offsetFetch, { groups, requireStable: true })
    const { errorCode, committedOffset } = answer.groups[0].topics[0].partitions[0]
    if (errorCode !== 0) return 'unstable'
    return committedOffset
  }

  /** End of what readers of committed records see of a partition of `data`, and of what there is. */
  async ends(partition: number): Promise<{ stable: number; end: number }> {
    const ask = async (isolationLevel: number): Promise<number> => {
      const topics = [
        { name: 'data', partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1 }] }
      ]
      const answer = await this.ask(messages.listOffsets, { replicaId: -1, isolationLevel, topics })
      return answer.topics[0].partitions[0].offset
    }
    return { stable: await ask(1), end: await ask(0) }
  }

  /** Values of a partition of `data` as a reader of committed records gets them, in order. */
  async committed(partition: number): Promise<string[]> {
    const values: string[] = []
    let fetchOffset = 0
    const { stable } = await this.ends(partition)
    while (fetchOffset < stable) {
      const partitions = [{ partition, fetchOffset, partitionMaxBytes: 1_000_000, currentLeaderEpoch: -1 }]
      const topics = [{ topic: 'data', partitions }]
      const request = { replicaId: -1, maxBytes: 1_000_000, isolationLevel: 1, sessionEpoch: -1, topics }
      const answer = await this.ask(messages.fetch, request, { version: 12 })
      const { records, abortedTransactions } = answer.responses[0].partitions[0]
      const undecided = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
      const aborting = new Set<number>()
      for (const batch of (records ?? []).flatMap(decodeBatches)) {
        fetchOffset = batch.lastOffset + 1
        while (undecided.length > 0 && undecided[0].firstOffset <= batch.baseOffset) {
          aborting.add(undecided.shift()?.producerId ?? -1)
        }
        if (batch.isControl) aborting.delete(batch.producerId)
        else if (!aborting.has(batch.producerId)) values.push(...valuesOf(batch))
      }
    }
    return values
  }
}

function valuesOf(batch: RecordBatch): string[] {
  const values: string[] = []
  const cursor = batch.records()
  while (cursor.next()) values.push(String(cursor.value()))
  return values
}
