// Reading files
// Writing files
export { ForeignFilesError, RowFormatError, SinkDirectoryError, SourceFileError } from './errors.ts'
export { type CsvOptions, csv } from './sink/csv.ts'
export { DELETED_COLUMN, type FileEncoder, type FileFormat } from './sink/file-format.ts'
export { type FileSinkOptions, fileSink } from './sink/file-sink.ts'
export { ndjson } from './sink/ndjson.ts'
export { type ParquetOptions, type ParquetType, type ParquetWriterModule, parquet } from './sink/parquet.ts'
export type { FileIdentity } from './source/file-identity.ts'
export type { FilePosition } from './source/file-position.ts'
export { type FileLine, type FileSource, type FileSourceOptions, fileSource } from './source/file-source.ts'
