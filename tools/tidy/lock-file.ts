import { type Finding, lineAt } from './source-file.ts'

const PATH = 'package-lock.json'

/** What the lock file has of one package; its key is the place in the tree. */
interface LockedPackage {
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Finds what `npm ci` would fail on, here or on another platform: a dependency, optional ones of other platforms included, without an entry, and an
 * entry without a checksum; and addresses, which bind the checkout to the registry that somebody used.
 */
export function checkLockFile(text: string): Finding[] {
  const { packages }: { readonly packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(text)
  return Object.entries(packages).flatMap(([place, one]) => {
    const line = lineAt(text, Math.max(0, text.indexOf(`${JSON.stringify(place)}: {`)))
    const messages = missingOf(place, one, packages).map((name) => `${place || 'the root'} needs ${name}, not locked`)
    if (place.includes('node_modules/') && !one.link) {
      if (one.integrity === undefined) messages.push(`${place} has no checksum`)
      if (one.resolved !== undefined) messages.push(`${place} names a registry: set omit-lockfile-registry-resolved`)
    }
    return messages.map((message) => ({ path: PATH, line, message }))
  })
}

function missingOf(place: string, one: LockedPackage, packages: Readonly<Record<string, LockedPackage>>): string[] {
  const names = Object.keys({ ...one.dependencies, ...one.devDependencies, ...one.optionalDependencies })
  const folders = place === '' ? [] : place.split('/')
  const above = folders.map((_, i) => `${folders.slice(0, i + 1).join('/')}/`)
  return names.filter((name) => !['', ...above].some((folder) => `${folder}node_modules/${name}` in packages))
}
