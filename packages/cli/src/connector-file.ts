import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Connector } from '@millrace/connectors'
import { ConnectorFileError } from './errors.ts'

/**
 * Imports a module and takes all connectors that it exports, alone or in lists.
 * @throws ConnectorFileError
 */
export async function loadConnectors(file: string): Promise<readonly Connector[]> {
  const exported = await importFile(file)
  const found = new Set(Object.values(exported).flatMap((value) => (Array.isArray(value) ? value : [value])))
  const connectors = [...found].filter(isConnector)
  if (connectors.length > 0) return connectors
  throw new ConnectorFileError(
    file,
    'it exports no connector: export { source } or { sink, topics }, or a list of them'
  )
}

async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(file)).href)
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    const message = cause instanceof Error ? cause.message : String(cause)
    const problem = missing && message.includes(resolve(file)) ? 'there is no such file' : message
    throw new ConnectorFileError(file, problem, { cause })
  }
}

function isConnector(value: unknown): value is Connector {
  if (typeof value !== 'object' || value === null) return false
  return (
    ('source' in value && canBeOpened(value.source)) ||
    ('sink' in value && 'topics' in value && canBeOpened(value.sink))
  )
}

function canBeOpened(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && 'open' in value
}
