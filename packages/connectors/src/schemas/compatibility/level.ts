import type { Incompatibility } from './incompatibility.ts'
import type { ParsedSchema } from './parsed-schema.ts'

/** What a subject's next schema must be able to do, by Confluent's names. */
export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE'
] as const

/**
 * - BACKWARD: the new schema reads data of the last one; upgrade consumers first.
 * - FORWARD: the last schema reads data of the new one; upgrade producers first.
 * - FULL: both; in any order.
 * - …_TRANSITIVE: the same against all earlier ones.
 * - NONE: anything goes.
 */
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number]

/** A level's name as text, in any case; undefined: it is none. */
export function compatibilityLevel(text: unknown): CompatibilityLevel | undefined {
  const name = typeof text === 'string' ? text.toUpperCase() : undefined
  return COMPATIBILITY_LEVELS.find((level) => level === name)
}

/**
 * Why a schema may not follow others under a level; empty: it may.
 * @param earlier the subject's versions, oldest first
 */
export function incompatibilitiesAt(
  level: CompatibilityLevel,
  schema: ParsedSchema,
  earlier: readonly ParsedSchema[]
): Incompatibility[] {
  if (level === 'NONE') return []
  const isBackward = level.startsWith('BACKWARD') || level.startsWith('FULL')
  const isForward = level.startsWith('FORWARD') || level.startsWith('FULL')
  const compared = level.endsWith('_TRANSITIVE') ? earlier.toReversed() : earlier.slice(-1)
  const found = compared.flatMap((previous) => [
    ...(isBackward ? schema.incompatibilitiesWith(previous) : []),
    ...(isForward ? previous.incompatibilitiesWith(schema) : [])
  ])
  const distinct = new Map(found.map((one) => [`${one.type} ${one.path} ${one.message}`, one]))
  return [...distinct.values()]
}
