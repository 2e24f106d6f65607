export type { ConnectorEvent } from './connector-event.ts'
// Defining one's own
export {
  defineSink,
  defineSource,
  type EasyBatch,
  type EasyBytes,
  type EasyRecord,
  type EasySink,
  type GeneratorContext,
  type SourceGenerator
} from './define.ts'
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
// Running them
export type { BackoffBounds } from './runtime/backoff.ts'
export type { ConnectorConfig, ConnectorDescription } from './runtime/configs.ts'
export type {
  Connector,
  ConnectorErrorPolicy,
  SinkConnector,
  SourceConnector,
  Supervision,
  TopicSettings
} from './runtime/connector.ts'
export type {
  ConnectorFailure,
  ConnectorHealth,
  ConnectorState,
  TargetState,
  TimedEvent
} from './runtime/connector-state.ts'
// Seeing and steering them from outside
export { type ConnectorInfo, type ConnectorsControl, connectorsControl } from './runtime/control/connectors-control.ts'
export { type OpenedControl, openControl } from './runtime/control/control-socket.ts'
export type {
  DeadLetter,
  DeadLetterPage,
  DeadLetterPlace,
  DeadLetterQuery
} from './runtime/control/dead-letter-queue.ts'
export type { OffsetChange, OffsetListing, SinkPosition, SplitPosition } from './runtime/control/offsets.ts'
export { ConnectErrorHeader } from './runtime/dead-letters.ts'
export {
  ConnectorFailedError,
  ConnectorNotRunningError,
  ConnectorRunningError,
  ConnectorTopicError,
  ControlError,
  CrashBudgetSpentError,
  NoControlSocketError,
  NoDeadLetterTopicError,
  OffsetEditError,
  OffsetsNotEditableError,
  PositionError,
  TransformError,
  UnknownConnectorError
} from './runtime/errors.ts'
export type { ConnectorMetrics, MetricGroup } from './runtime/metrics.ts'
export { deadLetter, fail } from './runtime/policy.ts'
export { type ConnectorsApp, type RunConnectorsOptions, runConnectors } from './runtime/run-connectors.ts'
export type { RunningConnector } from './runtime/running-connector.ts'
export type { ConnectorStatus } from './runtime/status-board.ts'
export { type ConnectorStep, type ConnectorTrace, SINK_STEPS, SOURCE_STEPS } from './runtime/steps.ts'
// Transforms of single records
export { operators } from './runtime/transforms/operators.ts'
export { dropTombstones, filterRecords, keyFrom, mapValue, route } from './runtime/transforms/record-transforms.ts'
export type { RecordTransform, TransformRecord } from './runtime/transforms/transform.ts'
export { NotAChangeEventError, type UnwrapOptions, unwrapDebezium } from './runtime/transforms/unwrap-debezium.ts'
// The contract of sinks.
export type {
  IdempotentSink,
  OpenedPartition,
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
  PartitionedTruncateError,
  TargetAccessError,
  TargetColumnMissingError,
  TargetKeyMissingError,
  TargetRefusedError,
  TargetTableMissingError
} from './sql/errors.ts'
export type { SqlSinkOptions, WriteMode } from './sql/sql-sink-options.ts'
// Change data capture as tables
export { type ChangeEvent, changedRows, changeEvents, rowKey, rowKeys } from './views/change-event.ts'
export { KeylessChangeError } from './views/errors.ts'
export { type MaterializedViewOptions, materializedView } from './views/materialized-view.ts'
