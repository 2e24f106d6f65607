export { installedPostgresVersions, missingPostgres } from './binaries.ts'
export { type PostgresServer, type PostgresServerOptions, startPostgres } from './postgres-server.ts'
