// The SQLite sink
export { type SqliteSinkOptions, sqliteSink } from './sqlite-sink.ts'
