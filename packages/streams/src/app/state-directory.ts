import {
  type Environment,
  FormatVersionError,
  type Log,
  makeDirectoryDurably,
  writeFileAtomically
} from '@millrace/log'

/**
 * Where an application keeps its state on this machine: `<root>/<cluster id>/<application>/`, with one directory per task and the id of the
 * process, which outlives it so that a restart fences what an earlier life left open.
 */
export interface StateDirectory {
  readonly path: string
  /** Stable name of this process: part of its transactional ids. */
  readonly processId: string
  taskPath(task: string): string
  release(): void
}

/** Below which directory state is kept. Undefined: nowhere, since a `memory:` log ends with the process, and so does the state that belongs to it. */
export function stateRoot(log: Log, given: string | undefined): string | undefined {
  if (given !== undefined) return given
  if (log.url === 'memory:') return undefined
  return log.directory === undefined ? './millrace-state' : `${log.directory}/state`
}

/** Whose state a directory is. */
export interface StateOwner {
  readonly clusterId: string
  readonly application: string
}

function pathOf(root: string, { clusterId, application }: StateOwner): string {
  return `${root}/${clusterId}/${application}`
}

/** The application's directory, if it has one. */
export function findStateDirectory(environment: Environment, root: string, owner: StateOwner): string | undefined {
  const path = pathOf(root, owner)
  return environment.files.exists(path) ? path : undefined
}

/**
 * Removes the state of all tasks. The process id stays: the next start fences by it what an earlier life left open.
 * @throws LockHeldError when the application runs here.
 */
export function clearStateDirectory({ files }: Environment, path: string, application: string): void {
  const lock = files.lock(`${path}/.lock`, `a reset of ${application}`)
  try {
    for (const { name, kind } of files.list(path)) if (kind === 'directory') files.removeDirectory(`${path}/${name}`)
  } finally {
    lock.release()
  }
}

const FORMAT_VERSION = 1
const PROCESS_FILE = 'millrace-process.json'

/**
 * Opens and locks the directory, making it at the first start.
 * @throws LockHeldError when another process runs this application here; FormatVersionError when another version wrote it.
 */
export async function openStateDirectory(
  environment: Environment,
  root: string,
  owner: StateOwner
): Promise<StateDirectory> {
  const path = pathOf(root, owner)
  for (const directory of [root, `${root}/${owner.clusterId}`, path]) {
    await makeDirectoryDurably(environment.files, directory)
  }
  const lock = environment.files.lock(`${path}/.lock`, `application ${owner.application}`)
  try {
    const processId = await readOrMakeProcessId(environment, path)
    return { path, processId, taskPath: (task) => `${path}/${task}`, release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function readOrMakeProcessId(environment: Environment, path: string): Promise<string> {
  const file = `${path}/${PROCESS_FILE}`
  if (environment.files.exists(file)) {
    // An earlier life may have been killed before it had synced the name.
    await environment.files.syncDirectory(path)
    const text = environment.files.readFile(file).toString('utf8')
    const processId = parseProcessFile(text)
    if (processId === undefined) {
      throw new FormatVersionError(
        path,
        `${file} was written by another version of Millrace or is damaged: move the directory away, its stores are rebuilt from the log`
      )
    }
    return processId
  }
  const processId = environment.random.bytes(12).toString('hex')
  await writeFileAtomically(
    environment.files,
    file,
    Buffer.from(`${JSON.stringify({ version: FORMAT_VERSION, processId })}\n`)
  )
  return processId
}

function parseProcessFile(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    if (!('version' in parsed) || parsed.version !== FORMAT_VERSION) return undefined
    return 'processId' in parsed && typeof parsed.processId === 'string' ? parsed.processId : undefined
  } catch {
    return undefined
  }
}
