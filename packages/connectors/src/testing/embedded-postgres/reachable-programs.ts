import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const OTHERS_MAY_ENTER = 0o001

/**
 * Where another user can run the programs in a directory: there, or, when a directory above lets nobody else in (a home of root's), in a copy among the
 * temporary files, made once.
 */
export function reachablePrograms(directory: string, version: number): string {
  if (process.getuid?.() !== 0 || othersMayEnter(directory)) return directory
  const { mtimeMs } = statSync(directory)
  const root = join(tmpdir(), 'millrace-postgres-programs')
  const copy = join(root, `${version}-${Math.trunc(mtimeMs)}`)
  if (existsSync(copy)) return copy
  mkdirSync(root, { recursive: true, mode: 0o755 })
  const copying = mkdtempSync(`${copy}-copying-`)
  const inside = join(copying, 'native')
  cpSync(directory, inside, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(inside, copy)
  } catch {
    // Another process was first.
  }
  rmSync(copying, { recursive: true, force: true })
  return copy
}

function othersMayEnter(directory: string): boolean {
  for (let path = directory; ; path = dirname(path)) {
    if ((statSync(path).mode & OTHERS_MAY_ENTER) === 0) return false
    if (path === dirname(path)) return true
  }
}
