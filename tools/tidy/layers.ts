import { posix } from 'node:path'
import type { Finding, SourceFile } from './source-file.ts'

/** Packages, low to high: each may import those before it, through their entry points. */
export const PACKAGES = ['log', 'streams', 'connectors', 'cli']

/** Folders (and files at the root of `src`) of a package, low to high: each may import itself and those before it. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  log: [
    'errors.ts',
    'environment',
    'wire',
    'storage',
    'coordinator',
    'quorum',
    'partition',
    'broker',
    'transport',
    'client',
    'open-log.ts',
    'index.ts',
    'testing'
  ],
  streams: [
    'errors.ts',
    'serde',
    'graph',
    'observe',
    'dsl',
    'rx',
    'state',
    'processor',
    'task',
    'changelog',
    'commit',
    'assignment',
    'query',
    'app',
    'index.ts',
    'testing'
  ],
  connectors: [
    'errors.ts',
    'sleep.ts',
    'connector-event.ts',
    'source.ts',
    'sink.ts',
    'define.ts',
    'rows',
    'views',
    'http-port',
    'schemas',
    'sql',
    'postgres',
    'sqlite',
    'file',
    'http',
    'runtime',
    'index.ts',
    'testing'
  ],
  cli: [
    'errors.ts',
    'command-line.ts',
    'connectors-command-line.ts',
    'import-module.ts',
    'topology-file.ts',
    'connector-file.ts',
    'missing-directory.ts',
    'streams-commands.ts',
    'connectors-commands.ts',
    'run.ts',
    'main.ts'
  ]
}

/** Entry points of the packages. */
const ENTRY_POINT = /^@millrace\/(\w+)(\/(?:testing|testing\/postgres|rx|postgres|sqlite|file|http|schemas))?$/
const PACKAGE_FILE = /^packages\/(\w+)\/src\/(.+)$/

/** Where a file stands. */
interface Place {
  readonly package: string
  readonly layer: string
  readonly rank: number
}

/**
 * Finds imports that go upwards between layers or packages, reach past an entry point, or leave a package by a relative path. Type-only
 * imports count, except that of a port's types by the layer that the port serves (`ALLOWED_TYPES`).
 */
export function checkLayers(files: readonly SourceFile[]): Finding[] {
  return files.flatMap((file) => {
    const from = placeOf(file.path)
    return file.imports.flatMap((imported) => {
      const message = from
        ? judgeFromPackage(file, from, imported.specifier, imported.typeOnly)
        : judgeFromOutside(file, imported.specifier)
      return message ? [{ path: file.path, line: imported.line, message }] : []
    })
  })
}

/** Types that a lower layer may name: the port is declared above, where its implementations are, and is data only. */
const ALLOWED_TYPES: readonly string[] = []

function judgeFromPackage(file: SourceFile, from: Place, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier.startsWith('@millrace/')) return judgePackageImport(from.package, specifier)
  if (!specifier.startsWith('.')) return undefined
  const target = resolveImport(file.path, specifier)
  const to = placeOf(target)
  if (to?.package !== from.package) return `${specifier} leaves the package: import its entry point instead`
  if (from.layer === 'client' && to.layer === 'broker' && !isTest(file.path)) {
    return 'client/ never imports broker/: it speaks through a transport'
  }
  if (isTest(file.path) || to.rank <= from.rank || (typeOnly && ALLOWED_TYPES.includes(target))) return undefined
  return `${from.layer} imports ${to.layer}, a higher layer (${target})`
}

function judgePackageImport(fromPackage: string, specifier: string): string | undefined {
  const entry = ENTRY_POINT.exec(specifier)
  if (!entry) return `${specifier} reaches past the package's entry point`
  if (PACKAGES.indexOf(entry[1]) >= PACKAGES.indexOf(fromPackage)) {
    return `package ${fromPackage} imports ${specifier}, which is not below it`
  }
  return undefined
}

function judgeFromOutside(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith('@millrace/')) {
    return ENTRY_POINT.test(specifier) ? undefined : `${specifier} reaches past the package's entry point`
  }
  if (!specifier.startsWith('.')) return undefined
  const target = resolveImport(file.path, specifier)
  return target.startsWith('packages/')
    ? `${specifier} reaches into a package: import its entry point instead`
    : undefined
}

/** Path of a relative import, from the repository's root. */
export function resolveImport(fromPath: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(fromPath), specifier))
}

function placeOf(path: string): Place | undefined {
  const match = PACKAGE_FILE.exec(path)
  if (!match) return undefined
  const layers = LAYERS[match[1]] ?? []
  const layer = layers.find((name) => match[2] === name || match[2].startsWith(`${name}/`)) ?? match[2]
  const rank = layers.indexOf(layer)
  return { package: match[1], layer, rank: rank === -1 ? layers.length : rank }
}

/** Tests may look at every layer of their package. */
export function isTest(path: string): boolean {
  return /\.(test|test-d|types\.test)\.ts$/.test(path) || /\/testing\//.test(path)
}
