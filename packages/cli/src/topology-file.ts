import { resolve } from 'node:path'
import { realEnvironment } from '@millrace/log'
import { describeTopology, type Topology, type TopologyDescription } from '@millrace/streams'
import { TopologyFileError } from './errors.ts'
import { importFile, importProblem } from './import-module.ts'

/**
 * Imports a module and takes the topology that it exports: the one that is named, else the default one, else the only one.
 * @param reference `FILE` or `FILE#EXPORT`; the path is relative to the working directory.
 * @throws TopologyFileError
 */
export async function loadTopology(reference: string): Promise<Topology> {
  const { file, name } = partsOf(reference)
  const exported = await exportsOf(file)
  if (name !== undefined) {
    const found = exported[name]
    if (isTopology(found)) return found
    const problem = name in exported ? `'${name}' is no topology${functionHint(found)}` : `it exports no '${name}'`
    throw new TopologyFileError(file, `${problem}; it exports ${listOf(topologiesOf(exported))}`)
  }
  if (isTopology(exported.default)) return exported.default
  const topologies = topologiesOf(exported)
  const [only, another] = topologies
  if (only === undefined) {
    const hint =
      Object.values(exported)
        .map(functionHint)
        .find((text) => text !== '') ?? ''
    throw new TopologyFileError(file, `it exports no topology: export what defineTopology returns${hint}`)
  }
  if (another !== undefined) {
    throw new TopologyFileError(file, `it exports ${listOf(topologies)}: say which, as ${file}#${only[0]}`)
  }
  return only[1]
}

/**
 * The description of a module's topology, or one that `describe --json` has written to a file.
 * @throws TopologyFileError
 */
export async function loadDescription(reference: string): Promise<TopologyDescription> {
  const { file } = partsOf(reference)
  if (!file.endsWith('.json')) return describeTopology(await loadTopology(reference))
  const found = readJson(file)
  if (!isDescription(found)) throw new TopologyFileError(file, 'it is no description of a topology in format 1')
  return found
}

function partsOf(reference: string): { file: string; name: string | undefined } {
  const at = reference.lastIndexOf('#')
  return at === -1
    ? { file: reference, name: undefined }
    : { file: reference.slice(0, at), name: reference.slice(at + 1) }
}

async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importFile(file)
  } catch (cause) {
    throw new TopologyFileError(file, importProblem(file, cause), { cause })
  }
}

function readJson(file: string): unknown {
  const { files } = realEnvironment()
  if (!files.exists(resolve(file))) throw new TopologyFileError(file, 'there is no such file')
  try {
    return JSON.parse(files.readFile(resolve(file)).toString())
  } catch (cause) {
    throw new TopologyFileError(file, cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function topologiesOf(exported: Readonly<Record<string, unknown>>): (readonly [string, Topology])[] {
  return Object.entries(exported).flatMap(([name, value]) => (isTopology(value) ? [[name, value] as const] : []))
}

function isTopology(value: unknown): value is Topology {
  const parts = ['nodes', 'stores', 'globalTables', 'subtopologies'] as const
  return isNamed(value) && parts.every((part) => part in value && Array.isArray(Reflect.get(value, part)))
}

function isDescription(value: unknown): value is TopologyDescription {
  const parts = ['subtopologies', 'stores', 'repartitions', 'globalTables'] as const
  if (!isNamed(value) || Reflect.get(value, 'format') !== 1) return false
  return parts.every((part) => Array.isArray(Reflect.get(value, part)))
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
}

function functionHint(value: unknown): string {
  return typeof value === 'function'
    ? ' (it exports a function: call it in a module of its own and export the result)'
    : ''
}

function listOf(topologies: readonly (readonly [string, Topology])[]): string {
  return topologies.length === 0 ? 'no topology' : `the topologies ${topologies.map(([name]) => name).join(', ')}`
}
