import type { Connector } from '@millrace/connectors'
import { ConnectorFileError } from './errors.ts'
import { importFile, importProblem } from './import-module.ts'

/**
 * Imports a module and takes all connectors that it exports, alone or in lists.
 * @throws ConnectorFileError also for what is meant to be a connector, and is none: it would be missed too late.
 */
export async function loadConnectors(file: string): Promise<readonly Connector[]> {
  const exported = await exportsOf(file)
  const connectors = new Set<Connector>()
  for (const [name, value] of Object.entries(exported)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (isConnector(one)) connectors.add(one)
      else if (isMeantToBeOne(one)) throw new ConnectorFileError(file, `'${name}' is no connector: ${NEEDED}`)
    }
  }
  if (connectors.size > 0) return [...connectors]
  throw new ConnectorFileError(file, `it exports no connector: export ${NEEDED}, or a list of them`)
}

const NEEDED = '{ source } or { sink, topics }'

async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importFile(file)
  } catch (cause) {
    throw new ConnectorFileError(file, importProblem(file, cause), { cause })
  }
}

function isMeantToBeOne(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('source' in value || 'sink' in value)
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
