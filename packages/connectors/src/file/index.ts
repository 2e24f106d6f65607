// Reading files
export { SourceFileError } from './errors.ts'
export type { FileIdentity } from './source/file-identity.ts'
export type { FilePosition } from './source/file-position.ts'
export { type FileLine, type FileSource, type FileSourceOptions, fileSource } from './source/file-source.ts'
