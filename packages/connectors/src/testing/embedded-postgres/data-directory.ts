import { execFileSync } from 'node:child_process'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresBinaries } from './binaries.ts'

/** PostgreSQL refuses to run as root: then its processes run as this user (nobody), which needs no entry anywhere. */
const UNPRIVILEGED_ID = 65534
const ABANDONED_AFTER_MS = 10 * 60_000

/** Options of `spawn` that give up root's rights; empty when there are none to give up. */
export function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  return process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {}
}

/** Makes a data directory by copying one that `initdb` made before (60 ms instead of 700), in memory where the system has a place for it. */
export function createDataDirectory(binaries: PostgresBinaries): string {
  removeAbandoned()
  const directory = mkdtempSync(join(temporaryRoot(), 'run-'))
  cpSync(template(binaries), directory, { recursive: true, mode: 0 })
  own(directory)
  return directory
}

/** Removes what processes that were killed have left: their servers end by themselves, but the files, which may be memory, stay. */
function removeAbandoned(): void {
  const root = temporaryRoot()
  for (const name of readdirSync(root).filter((one) => one.startsWith('run-'))) {
    const path = join(root, name)
    try {
      if (Date.now() - statSync(path).mtimeMs > ABANDONED_AFTER_MS && !isServed(path)) {
        rmSync(path, { recursive: true, force: true })
      }
    } catch {
      // Another process was first.
    }
  }
}

function isServed(directory: string): boolean {
  const file = join(directory, 'postmaster.pid')
  if (!existsSync(file)) return false
  try {
    process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 0)
    return true
  } catch {
    return false
  }
}

function temporaryRoot(): string {
  const root = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-postgres')
  mkdirSync(root, { recursive: true, mode: 0o777 })
  return root
}

function template(binaries: PostgresBinaries): string {
  const path = join(temporaryRoot(), `template-${binaries.version}`)
  if (existsSync(path)) return path
  const building = mkdtempSync(`${path}-building-`)
  chown(building)
  execFileSync(
    binaries.initdb,
    ['-D', building, '-U', 'postgres', '-A', 'trust', '--no-sync', '--encoding=UTF8', '--locale=C'],
    { ...unprivileged(), stdio: 'pipe', env: { ...process.env, HOME: building } }
  )
  try {
    renameSync(building, path)
  } catch {
    rmSync(building, { recursive: true, force: true }) // another process was first
  }
  return path
}

function own(directory: string): void {
  const { uid } = unprivileged()
  if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${uid}`, directory])
  execFileSync('chmod', ['-R', 'u=rwX,go=', directory])
}

function chown(directory: string): void {
  const { uid, gid } = unprivileged()
  if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid)
}
