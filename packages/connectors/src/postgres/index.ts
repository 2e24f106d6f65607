// Change data capture
export type { CdcClient, CdcClientSettings, PostgresCdcDriver } from './cdc/connection.ts'
export {
  OutboxUpdatedError,
  PostgresAccessError,
  PostgresPreflightError,
  PostgresSlotInUseError,
  PostgresSlotLostError,
  PostgresStatementError,
  type PreflightProblem,
  ReplicationProtocolError,
  type SlotLoss
} from './cdc/errors.ts'
export type { CdcProgress, PostgresCdcOptions, PostgresCdcSource } from './cdc/options.ts'
export type { OutboxColumns, OutboxField, OutboxOptions } from './cdc/outbox.ts'
export type { CdcPosition, SnapshotPosition, StreamIdentity, StreamPosition } from './cdc/position.ts'
export { postgresCdc } from './cdc/postgres-cdc.ts'
export type { CdcSignal } from './cdc/signals.ts'
// The PostgreSQL driver that the program gives
export type {
  PostgresClient,
  PostgresClientSettings,
  PostgresConnection,
  PostgresDriver,
  PostgresQuery,
  PostgresResult
} from './driver.ts'
// The PostgreSQL sink
export { type PostgresSinkOptions, postgresSink } from './sink/postgres-sink.ts'
