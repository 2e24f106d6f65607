import type { Environment } from '../environment/environment.ts'
import { memoryEnvironment } from '../environment/memory-environment.ts'
import { type BuildOptions, RecordBatchBuilder } from '../wire/batch/batch-builder.ts'
import { type Broker, startBroker } from './broker.ts'
import { type BrokerConfig, defaultBrokerConfig } from './broker-config.ts'
import type { BrokerEvent } from './event.ts'

/** How a test's broker is started. */
export interface BrokerFixtureOptions {
  readonly environment?: Environment
  readonly directory?: string
  readonly config?: Partial<BrokerConfig>
}

/** A log directory in which brokers are started again and again. */
export interface BrokerFixture {
  readonly environment: Environment
  readonly directory: string
  readonly events: BrokerEvent[]
  start(environment?: Environment): Promise<Broker>
}

/** By default in memory. */
export function brokerFixture(options: BrokerFixtureOptions = {}): BrokerFixture {
  const environment = options.environment ?? memoryEnvironment()
  const directory = options.directory ?? '/data'
  const events: BrokerEvent[] = []
  return {
    environment,
    directory,
    events,
    start: (restarted = environment) =>
      startBroker({
        environment: restarted,
        directory,
        config: { ...defaultBrokerConfig, ...options.config },
        holder: 'pid 4711',
        advertised: { host: 'localhost', port: 9092 },
        onEvent: (event) => events.push(event)
      })
  }
}

/** A batch with one record for each value; keys are the values' indexes. */
export function batchOf(values: readonly string[], options: BuildOptions & { timestampMs?: number } = {}): Buffer {
  const builder = new RecordBatchBuilder()
  values.forEach((value, index) => {
    builder.append(Buffer.from(String(index)), Buffer.from(value), (options.timestampMs ?? 1_000) + index)
  })
  return builder.build(options)
}
