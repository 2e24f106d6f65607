import { writeFileAtomically } from '../../environment/atomic-file.ts'
import type { FileSystem } from '../../environment/environment.ts'
import { isMissing } from '../errors.ts'

/** Name of the file in a log directory that says the last broker closed it in order. */
export const CLEAN_SHUTDOWN = '.kafka_cleanshutdown'

/**
 * Takes the marker of a clean shutdown away, durably, and says whether there was one. It must be gone before the first partition is
 * loaded: a crash while loading must not look clean (KAFKA-10471).
 */
export async function takeCleanShutdownMarker(files: FileSystem, directory: string): Promise<boolean> {
  const path = `${directory}/${CLEAN_SHUTDOWN}`
  let clean: boolean
  try {
    clean = isMarker(files.readFile(path))
    files.remove(path)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
  await files.syncDirectory(directory)
  return clean
}

/** Leaves the marker, after every partition was closed and its checkpoints were written. */
export async function leaveCleanShutdownMarker(
  files: FileSystem,
  directory: string,
  brokerEpoch: number
): Promise<void> {
  await writeFileAtomically(
    files,
    `${directory}/${CLEAN_SHUTDOWN}`,
    Buffer.from(JSON.stringify({ version: 0, brokerEpoch }))
  )
}

function isMarker(content: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(content.toString('utf8'))
    return typeof value === 'object' && value !== null && 'version' in value && value.version === 0
  } catch {
    return false
  }
}
