export type { ConnectorEvent } from './connector-event.ts'
// What connectors throw
export {
  PoisonousRecordError,
  SinkFencedError,
  SinkSetupError,
  TransientSinkError,
  TransientSourceError
} from './errors.ts'
// Records as changes of rows
export { debeziumRows, UNAVAILABLE_VALUE } from './rows/debezium-rows.ts'
export { type JsonRowsOptions, jsonRows } from './rows/json-rows.ts'
export { parseLosslessly, stringifyLosslessly } from './rows/lossless-json.ts'
export type {
  ColumnValue,
  Row,
  RowChange,
  RowDecoder,
  RowDelete,
  RowTruncate,
  RowUpsert,
  TextForms
} from './rows/row-change.ts'
export { type SerdeRowsOptions, serdeRows } from './rows/serde-rows.ts'
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
// What targets of tables refuse
export {
  TargetAccessError,
  TargetColumnMissingError,
  TargetKeyMissingError,
  TargetRefusedError,
  TargetTableMissingError
} from './sql/errors.ts'
export type { SqlSinkOptions, WriteMode } from './sql/sql-sink-options.ts'
