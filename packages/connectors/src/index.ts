// The contract of sources.

// What they throw.
export { PoisonousRecordError, SinkFencedError, TransientSinkError, TransientSourceError } from './errors.ts'
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
export type { Source, SourceBatch, SourceContext, SourceReader, SourceRecord } from './source.ts'
