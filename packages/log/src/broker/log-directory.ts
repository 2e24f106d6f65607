import { writeFileAtomically } from '../environment/atomic-file.ts'
import { makeDirectoryDurably } from '../environment/durable-directory.ts'
import type { Environment, FileLock } from '../environment/environment.ts'
import { CorruptionError, FileSystemError, FormatVersionError, UsageError } from '../errors.ts'
import { crc32c } from '../wire/crc32c.ts'
import { randomUuid } from './uuid.ts'

/** Name of the file that says whose directory this is. */
export const META_PROPERTIES = 'meta.properties'
/** Name of the file whose lock makes a process the owner of the directory (Kafka's name). */
export const LOCK_FILE = '.lock'
/** Name of the property with the CRC-32C of the others, in hexadecimal; Kafka passes over it, and a file that Kafka wrote lacks it. */
const CHECKSUM = 'millrace.crc32c'
/** Version of the directory's format, which is Kafka's. */
export const DIRECTORY_VERSION = 1

/** What `meta.properties` says. */
export interface DirectoryIdentity {
  /** Base64url uuid. */
  readonly clusterId: string
  readonly nodeId: number
  /** Base64url uuid of this directory. */
  readonly directoryId: string
}

/** A log directory that this process owns until it releases the lock or ends. */
export interface LogDirectory extends DirectoryIdentity {
  readonly path: string
  readonly lock: FileLock
}

/** Which directory, and for whom. */
export interface LogDirectoryOptions {
  readonly path: string
  readonly nodeId: number
  /** What others are told who want the directory, e.g. `pid 4711`. */
  readonly holder: string
}

/**
 * Takes a log directory: makes it if it is missing, checks that it is one of ours, locks it, and gives it an identity the first time.
 * A directory that is refused is left as it was.
 * @throws FormatVersionError when it has another version, or holds something else
 * @throws LockHeldError naming the holder
 * @throws CorruptionError when its identity is damaged
 * @throws UsageError when it belongs to another node
 * @throws FileSystemError when it cannot be read or written
 */
export async function openLogDirectory(environment: Environment, options: LogDirectoryOptions): Promise<LogDirectory> {
  const { files } = environment
  const { path } = options
  await prepareDirectory(environment, path)
  const lock = files.lock(`${path}/${LOCK_FILE}`, options.holder)
  try {
    const identity = readIdentity(environment, path) ?? (await writeIdentity(environment, options))
    if (identity.nodeId !== options.nodeId) {
      throw new UsageError(
        `${path} belongs to node ${identity.nodeId}, not ${options.nodeId}: start that node, or open another directory`
      )
    }
    return { ...identity, path, lock }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function prepareDirectory(environment: Environment, path: string): Promise<void> {
  const { files } = environment
  if (!files.exists(path)) {
    await makeDirectoryDurably(files, path)
    return
  }
  const { kind } = files.stat(path)
  if (kind !== 'directory') {
    throw new FileSystemError({ message: `${path} is a file: name a directory`, systemCode: 'ENOTDIR', path })
  }
  if (readIdentity(environment, path) !== undefined) return
  const foreign = files.list(path).find(({ name }) => !mayPrecedeIdentity(name))
  if (foreign === undefined) return
  throw new FormatVersionError(
    path,
    `${path} is not empty (it has ${foreign.name}) and has no ${META_PROPERTIES}, so it is no log directory: name an empty or a new one`
  )
}

/** What a first start that was cut off may leave behind, and what file systems put at their root. */
function mayPrecedeIdentity(name: string): boolean {
  return name.startsWith(LOCK_FILE) || name === `${META_PROPERTIES}.tmp` || name === 'lost+found'
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

function readIdentity(environment: Environment, directory: string): DirectoryIdentity | undefined {
  const path = `${directory}/${META_PROPERTIES}`
  if (!environment.files.exists(path)) return undefined
  const text = environment.files.readFile(path).toString('utf8')
  const properties = parseProperties(text)
  const checksum = properties.get(CHECKSUM)
  if (checksum !== undefined && checksum !== checksumOf(text)) {
    const message = `${path} is damaged: its checksum does not match. Restore it from a copy, or correct it by hand and remove ${CHECKSUM}`
    throw new CorruptionError({ message, path, position: 0 })
  }
  const version = properties.get('version')
  if (version !== String(DIRECTORY_VERSION)) {
    throw new FormatVersionError(
      path,
      `${directory} has format version ${version ?? '(none)'}, this program reads ${DIRECTORY_VERSION}: open it with the version that wrote it`
    )
  }
  const clusterId = properties.get('cluster.id')
  const nodeId = Number(properties.get('node.id'))
  const directoryId = properties.get('directory.id')
  if (clusterId === undefined || directoryId === undefined || !Number.isInteger(nodeId)) {
    throw new FormatVersionError(path, `${path} lacks cluster.id, node.id or directory.id: restore it from a copy`)
  }
  return { clusterId, nodeId, directoryId }
}

async function writeIdentity(environment: Environment, options: LogDirectoryOptions): Promise<DirectoryIdentity> {
  // It may have been made by a process that was killed before it had synced its name.
  await environment.files.syncDirectory(parentOf(options.path))
  const identity: DirectoryIdentity = {
    clusterId: randomUuid(environment.random),
    nodeId: options.nodeId,
    directoryId: randomUuid(environment.random)
  }
  const text = [
    `cluster.id=${identity.clusterId}`,
    `directory.id=${identity.directoryId}`,
    `node.id=${identity.nodeId}`,
    `version=${DIRECTORY_VERSION}`,
    ''
  ].join('\n')
  const checked = Buffer.from(`${text}${CHECKSUM}=${checksumOf(text)}\n`)
  await writeFileAtomically(environment.files, `${options.path}/${META_PROPERTIES}`, checked)
  return identity
}

/** Of all lines but the checksum's own. */
function checksumOf(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith(`${CHECKSUM}=`))
  return crc32c(Buffer.from(lines.join('\n')))
    .toString(16)
    .padStart(8, '0')
}

/** Lines of `name=value`; `#` begins a comment (the part of Java's format that such files use). */
function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of text.split('\n')) {
    const separator = line.indexOf('=')
    if (line.startsWith('#') || separator < 0) continue
    properties.set(line.slice(0, separator).trim(), line.slice(separator + 1).trim())
  }
  return properties
}
