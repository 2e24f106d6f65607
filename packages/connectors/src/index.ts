export type { ConnectorEvent } from './connector-event.ts'
// What connectors throw
export {
  PoisonousRecordError,
  SinkFencedError,
  SinkSetupError,
  TransientSinkError,
  TransientSourceError
} from './errors.ts'
// The contract of sinks.
export type {
  IdempotentSink,
  Sink,
  SinkContext,
  SinkOffset,
  SinkPartition,
  SinkRecord,
  TransactionalSink
} from './sink.ts'
export type {
  Positions,
  Source,
  SourceBatch,
  SourceContext,
  SourceReader,
  SourceRecord,
  SourceState
} from './source.ts'
