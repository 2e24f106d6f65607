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
