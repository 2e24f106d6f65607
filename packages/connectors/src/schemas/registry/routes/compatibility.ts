import { incompatibilityText } from '../../compatibility/incompatibility.ts'
import type { VersionChoice } from '../../schema.ts'
import { flag } from '../rest-message.ts'
import { type RestCall, type Route, schemaOf, versionOf } from '../route.ts'

/** Whether a schema might be registered. */
export const compatibilityRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: ['compatibility', 'subjects', ':subject', 'versions'],
    run: (call) => judge(call, undefined)
  },
  {
    method: 'POST',
    path: ['compatibility', 'subjects', ':subject', 'versions', ':version'],
    run: (call) => judge(call, versionOf(call.parameters[1]))
  }
]

async function judge(call: RestCall, version: VersionChoice | undefined) {
  const { registry, parameters, query } = call
  const options = {
    ...(flag(query, 'normalize') && { normalize: true }),
    ...(version !== undefined && { version })
  }
  const found = await registry.checkCompatibility(parameters[0], schemaOf(call), options)
  const verdict = { is_compatible: found.length === 0 }
  return flag(query, 'verbose') ? { ...verdict, messages: found.map(incompatibilityText) } : verdict
}
