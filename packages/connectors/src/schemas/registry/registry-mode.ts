/** What may be done to a subject, by Confluent's names. */
export const REGISTRY_MODES = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT'] as const

/**
 * - READWRITE: anything.
 * - READONLY: nothing is registered or deleted. READONLY_OVERRIDE, set globally: whatever a subject says.
 * - IMPORT: schemas come with the id and version they have elsewhere, and are not checked against each other.
 */
export type RegistryMode = (typeof REGISTRY_MODES)[number]

/** A mode's name as text, in any case; undefined: it is none. */
export function registryMode(text: unknown): RegistryMode | undefined {
  const name = typeof text === 'string' ? text.toUpperCase() : undefined
  return REGISTRY_MODES.find((mode) => mode === name)
}
