import { COMPATIBILITY_LEVELS, compatibilityLevel } from '../../compatibility/level.ts'
import { RegistryErrorCode } from '../../errors.ts'
import { refused } from '../refusals.ts'
import { REGISTRY_MODES, registryMode } from '../registry-mode.ts'
import type { SubjectConfig } from '../registry-record.ts'
import { flag } from '../rest-message.ts'
import { bodyOf, type RestCall, type Route } from '../route.ts'

/** Compatibility levels and modes, globally and of subjects. */
export const settingRoutes: readonly Route[] = ([[], [':subject']] as const).flatMap((subject) => [
  { method: 'GET' as const, path: ['config', ...subject], run: getConfig },
  { method: 'PUT' as const, path: ['config', ...subject], run: putConfig },
  { method: 'DELETE' as const, path: ['config', ...subject], run: deleteConfig },
  { method: 'GET' as const, path: ['mode', ...subject], run: getMode },
  { method: 'PUT' as const, path: ['mode', ...subject], run: putMode },
  ...(subject.length === 0 ? [] : [{ method: 'DELETE' as const, path: ['mode', ...subject], run: deleteMode }])
])

/** The subject of a path; null: the path is of the global setting. */
function subjectOf({ parameters }: RestCall): string | null {
  return parameters[0] ?? null
}

function query(call: RestCall) {
  return { defaultToGlobal: flag(call.query, 'defaultToGlobal') }
}

async function getConfig(call: RestCall): Promise<SubjectConfig> {
  return call.registry.settings.config(subjectOf(call), query(call))
}

async function putConfig(call: RestCall) {
  const { compatibility, normalize } = bodyOf(call)
  const level = compatibilityLevel(compatibility)
  if (compatibility !== undefined && level === undefined) {
    const message = `Invalid compatibility level. Valid values are ${COMPATIBILITY_LEVELS.join(', ')}`
    throw refused(RegistryErrorCode.INVALID_LEVEL, message)
  }
  const config = {
    ...(level !== undefined && { compatibilityLevel: level }),
    ...(typeof normalize === 'boolean' && { normalize })
  }
  const { compatibilityLevel: compatibilitySet, ...rest } = await call.registry.settings.setConfig(
    subjectOf(call),
    config
  )
  return { ...(compatibilitySet !== undefined && { compatibility: compatibilitySet }), ...rest }
}

function deleteConfig(call: RestCall): Promise<SubjectConfig> {
  return call.registry.settings.deleteConfig(subjectOf(call))
}

async function getMode(call: RestCall) {
  return { mode: await call.registry.settings.mode(subjectOf(call), query(call)) }
}

async function putMode(call: RestCall) {
  const mode = registryMode(bodyOf(call).mode)
  if (mode === undefined) {
    throw refused(RegistryErrorCode.INVALID_MODE, `Invalid mode. Valid values are ${REGISTRY_MODES.join(', ')}`)
  }
  return { mode: await call.registry.settings.setMode(subjectOf(call), mode, { force: flag(call.query, 'force') }) }
}

async function deleteMode(call: RestCall) {
  return { mode: await call.registry.settings.deleteMode(call.parameters[0]) }
}
