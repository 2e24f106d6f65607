// Defining a topology

// Running it
export type { RunOptions } from './app/app-options.ts'
export {
  ApplicationFailedError,
  ApplicationRunningError,
  CopartitionError,
  DeletedTopicError,
  InternalTopicMismatchError,
  MissingSourceTopicError,
  NoCommittedOffsetError,
  UnknownSinkTopicError,
  UnknownStoreError
} from './app/errors.ts'
export { formatPlan, type PlannedTopic, type PlanOptions, planStart, type StartPlan } from './app/plan.ts'
export { formatReset, type ResetOffset, type ResetOptions, type ResetReport, resetApplication } from './app/reset.ts'
export { runStreams } from './app/run-streams.ts'
export type { StreamsApp } from './app/streams-app.ts'
export { type SweepOptions, type SweepReport, sweepBlobs } from './app/sweep-blobs.ts'
export type { EngineFactory } from './app/task-opener.ts'
export type { StreamFunction } from './dsl/callback.ts'
export type { CogroupAdder, CogroupedKStream } from './dsl/cogrouped-k-stream.ts'
export {
  average,
  type Collector,
  type Comparable,
  distinct,
  type Folding,
  first,
  last,
  max,
  min,
  type Reducing,
  topN
} from './dsl/collectors.ts'
export { defineTopology } from './dsl/define-topology.ts'
export type { GroupByKeyMethod, GroupByMethod } from './dsl/group-methods.ts'
export type {
  ForeignKeyJoinOptions,
  ForeignKeyPartitioners,
  ForeignKeySerdes,
  GlobalJoinFunction,
  GlobalJoinOptions,
  JoinedOptions,
  JoinStores,
  KnownAfterJoin,
  MappedRow,
  StreamJoinOptions,
  StreamJoinSerdes,
  StreamSideSerdes,
  StreamTableJoinOptions
} from './dsl/join-options.ts'
export type { GlobalKTable } from './dsl/k-global-table.ts'
export type { KGroupedStream } from './dsl/k-grouped-stream.ts'
export type { KGroupedTable } from './dsl/k-grouped-table.ts'
export type { KStream } from './dsl/k-stream.ts'
export type { KTable } from './dsl/k-table.ts'
export type { AsyncFunction, AsyncRetryOptions, MapAsyncOptions, OrderedKey } from './dsl/map-async-options.ts'
export type { Materialized, NamedStore } from './dsl/materialized.ts'
export type {
  AggregateOptions,
  EmitEvery,
  GivenKey,
  GivenValue,
  KeySerde,
  LateOption,
  OptionsArgument,
  PipeOptions,
  PrintOptions,
  RepartitionOptions,
  SerdeOptions,
  SinkOptions,
  Slot,
  StepOptions,
  StreamOptions,
  TextKey,
  ValueSerde,
  WindowedAggregateOptions,
  WindowedByOptions
} from './dsl/options.ts'
export { PipeEndedError, StatefulPipeError } from './dsl/pipe-error.ts'
export type { PipeMethod } from './dsl/pipe-method.ts'
export { type Chain, chainPerValue } from './dsl/piped-chain.ts'
export type { ProcessMethod, ProcessValuesMethod } from './dsl/process-method.ts'
export type {
  BaseProcessContext,
  KeyedProcessOptions,
  ProcessContext,
  ProcessOptions,
  ProcessorOf,
  ProcessValuesContext,
  RecordProcessor,
  StoreHandles
} from './dsl/process-types.ts'
export type { RxOptions } from './dsl/rx-options.ts'
export type {
  Commutative,
  SaltedAggregateOptions,
  SaltedWindowedOptions,
  SaltOption
} from './dsl/salt-options.ts'
export type { SaltedKStream, SaltedWindowedKStream } from './dsl/salted-k-stream.ts'
export type { SessionWindowedKStream } from './dsl/session-windowed-k-stream.ts'
export type { Branches, SplitMethod, SplitOptions } from './dsl/split-method.ts'
export type {
  GlobalStoreHandle,
  GlobalStoreOptions,
  KeyValueStoreHandle,
  ProcessedGlobalStoreOptions,
  ReadOnlyStoreHandle,
  SessionStoreHandle,
  SessionStoreOptions,
  StoreHandle,
  StoreOf,
  StoreOptions,
  VersionedStoreHandle,
  VersionedStoreOptions,
  WindowStoreHandle,
  WindowStoreOptions
} from './dsl/store-handle.ts'
export type { StreamJoinMethod, StreamLeftJoinMethod, StreamOuterJoinMethod } from './dsl/stream-join-methods.ts'
export type { StreamsBuilder } from './dsl/streams-builder.ts'
export {
  type Suppressed,
  type SuppressLimits,
  type SuppressOptions,
  untilTimeLimit,
  untilWindowCloses,
  type WindowCloseOptions
} from './dsl/suppress-until.ts'
export type {
  GlobalTableOptions,
  JoinFunction,
  KeptResultOptions,
  KeptStepOptions,
  SourceTableOptions,
  StreamTableOptions,
  TableAggregateOptions,
  TableFunction,
  TableOptions,
  TopicTableOptions
} from './dsl/table-options.ts'
export type { TimeWindowedKStream } from './dsl/time-windowed-k-stream.ts'
export type {
  TransformValuesContext,
  TransformValuesOptions,
  ValueTransformer,
  ValueTransformerOf
} from './dsl/transform-types.ts'
export type {
  SessionWindowedCogroupedKStream,
  TimeWindowedCogroupedKStream
} from './dsl/windowed-cogrouped-k-stream.ts'
export { hopping, sessions, sliding, tumbling, unlimited } from './dsl/windows.ts'
// Topologies as data
export {
  describeTopology,
  formatTopology,
  type NodeDescription,
  type SubtopologyDescription,
  type TopologyDescription
} from './graph/describe.ts'
export { type DurableChange, diffTopologies, formatDiff, type TopologyDiff } from './graph/diff.ts'
export { toDot } from './graph/dot.ts'
export { type Duration, DurationError, durationMs } from './graph/duration.ts'
export type {
  GlobalTableDescription,
  Inventory,
  RepartitionDescription,
  StoreDescription
} from './graph/inventory.ts'
export { formatLikeKafkaStreams } from './graph/kafka-text.ts'
export { LateEmissionError } from './graph/late-emission-error.ts'
export { type LintFinding, type LintRule, lintTopology } from './graph/lint.ts'
export type { AsyncCall, AsyncOrder } from './graph/map-async-node.ts'
export { toMermaid } from './graph/mermaid.ts'
export type {
  EmitMode,
  Node,
  SessionWindows,
  SlidingWindows,
  StoreDefinition,
  TimeWindows,
  UnlimitedWindows,
  WindowDefinition
} from './graph/node.ts'
export type {
  Cancellable,
  ForwardedRecord,
  ProcessorGlobalStore,
  ProcessorReadOnlyStore,
  ProcessorSession,
  ProcessorSessionStore,
  ProcessorStore,
  ProcessorVersionedStore,
  ProcessorWindow,
  ProcessorWindowStore,
  PunctuationClock
} from './graph/process-context.ts'
export { type Header, type RecordOrigin, StreamRecord } from './graph/record.ts'
export type { TableEmit, TableRow } from './graph/table-node.ts'
export type { Subtopology, Topology } from './graph/topology.ts'
export { MissingSerdeError, NameTieError, TopologyError } from './graph/topology-error.ts'
export type { TransformedRow } from './graph/transform-node.ts'
export type { AppMetrics, AppState, RestoreProgress } from './observe/app-state.ts'
export type { HotKey, PartitionLoad, SkewReport, TopicSkew } from './observe/skew.ts'
export { COMMIT_STEPS, type Trace, type TraceStep } from './observe/trace.ts'
// Errors of a running topology, and what to do about them
export { AsyncTimeoutError, BufferFullError, ProcessingError } from './processor/errors.ts'
// Querying its stores
export type {
  Direction,
  PrefixOptions,
  QueryableStore,
  RowVersion,
  StoreEntry,
  TimeRange
} from './query/queryable-store.ts'
// Serdes
export { type AvroOptions, type AvroSchema, avro } from './serde/avro.ts'
export { type AvroLongs, avroType } from './serde/avro-types.ts'
export { bigint } from './serde/bigint.ts'
export { BlobError } from './serde/blob-error.ts'
export type { BlobStore, StoredBlob } from './serde/blob-store.ts'
export { boolean } from './serde/boolean.ts'
export { bytes } from './serde/bytes.ts'
export { type BlobReference, blobReference, type ClaimCheckOptions, claimCheck } from './serde/claim-check.ts'
export { nullable, serde } from './serde/custom.ts'
export { date } from './serde/date.ts'
export { FileBlobs } from './serde/file-blobs.ts'
export { json } from './serde/json.ts'
export { list } from './serde/list.ts'
export { long } from './serde/long.ts'
export { MemoryBlobs } from './serde/memory-blobs.ts'
export { SerdeNotReadyError } from './serde/not-ready-error.ts'
export { number } from './serde/number.ts'
export { optional } from './serde/optional.ts'
export { type SchemaResult, type StandardSchema, schema } from './serde/schema.ts'
export { SchemaError, type SchemaIssue } from './serde/schema-error.ts'
export type { Serde } from './serde/serde.ts'
export { SerdeError } from './serde/serde-error.ts'
export type { SortableCodec, SortableRead, SortableSerde } from './serde/sortable.ts'
export { string } from './serde/string.ts'
export { type StructOf, struct, type TupleOf, tuple } from './serde/tuple.ts'
export { uuid } from './serde/uuid.ts'
export { type VersionedSerde, versioned } from './serde/versioned.ts'
export { sessionWindowed, Windowed, type WindowedSerde, windowed } from './serde/windowed.ts'
// State engines
export { CheckedEngine } from './state/checked-engine.ts'
export type { ChangeTaker, ChangeTeller, KeyRange, StateEngine, StateScan } from './state/engine.ts'
export { StoreDamagedError } from './state/errors.ts'
export { FileEngine } from './state/file-engine.ts'
export { checksumBytes } from './state/layout.ts'
export { LevelEngine, type LevelEngineOptions } from './state/level-engine.ts'
export { MemoryEngine } from './state/memory-engine.ts'
export { DeadLetterHeader } from './task/dead-letter.ts'
export { deadLetter, type ErrorPolicies, type ErrorPolicy, fail, skip } from './task/error-policy.ts'
export { DeserializationError, EmissionError } from './task/errors.ts'
