import type { Environment, FileSystem } from '@millrace/log'
import { StoreDamagedError } from '../errors.ts'
import { readLevelLog } from './level-log.ts'
import { type LevelVersion, readVersion } from './level-manifest.ts'
import { tableProblem } from './level-table.ts'

/**
 * Verifies a LevelDB directory before LevelDB opens it, since it would open most damaged ones and leave keys out in silence.
 *
 * - CURRENT names a manifest that exists, or there is nothing yet.
 * - The manifest is valid to its end, or to the torn end of a crash: the log it says is needed still exists then.
 * - Every table that it lists has its size, and every block of it its checksum: all bytes are read, at about the speed of the disk.
 * - Not the log of recent batches: LevelDB verifies that, drops what is bad without a word, and the commit numbers tell.
 *
 * @throws StoreDamagedError naming the file.
 */
export async function verifyLevelFiles(path: string, environment: Environment): Promise<void> {
  const { files, timers } = environment
  const current = `${path}/CURRENT`
  if (!files.exists(current)) {
    const data = files.list(path).find(({ name }) => /^\d+\.(log|ldb|sst)$/.test(name))
    if (data === undefined) return
    throw new StoreDamagedError(current, `it is missing, but there is ${data.name}`)
  }
  const version = currentVersion(path, files)
  for (const [number, sizeBytes] of version.tables) {
    const table = tablePath(path, number, files)
    const bytes = files.readFile(table)
    const problem =
      bytes.length === sizeBytes ? tableProblem(bytes) : `it has ${bytes.length} bytes instead of ${sizeBytes}`
    if (problem !== undefined) throw new StoreDamagedError(table, problem)
    await new Promise<void>((resolve) => timers.soon(resolve))
  }
}

function currentVersion(path: string, files: FileSystem): LevelVersion {
  const name = files.readFile(`${path}/CURRENT`).toString('latin1')
  if (!/^MANIFEST-\d+\n$/.test(name)) throw new StoreDamagedError(`${path}/CURRENT`, 'it names no manifest')
  const manifest = `${path}/${name.trimEnd()}`
  if (!files.exists(manifest)) throw new StoreDamagedError(manifest, 'it is missing')
  const log = readLevelLog(files.readFile(manifest))
  if (log.hasHole) throw new StoreDamagedError(manifest, 'bytes in its middle are wrong')
  const version = log.records.length === 0 ? undefined : readVersion(log.records)
  if (version === undefined) throw new StoreDamagedError(manifest, 'it is not understood')
  // An edit is written before the log that it makes needless is removed. So where the end is lost and the log as well, the edit was whole.
  const needed = `${path}/${String(version.logNumber).padStart(6, '0')}.log`
  if (version.logNumber > 0 && !files.exists(needed)) throw new StoreDamagedError(manifest, `${needed} is missing`)
  return version
}

function tablePath(path: string, number: number, files: FileSystem): string {
  const name = `${path}/${String(number).padStart(6, '0')}`
  const table = files.exists(`${name}.sst`) ? `${name}.sst` : `${name}.ldb`
  if (!files.exists(table)) throw new StoreDamagedError(table, 'it is missing')
  return table
}
