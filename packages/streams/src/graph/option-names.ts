import { UsageError } from '@millrace/log'

/** The names of the options that something takes. */
export type OptionNames = readonly string[]

/** Of the options of type `O`, each of them and nothing else: what is missing, or is no option, does not compile. */
export function optionNames<O>(names: Readonly<Record<NamesIn<O>, true>>): OptionNames {
  return Object.keys(names)
}

/** Of all forms that the options may have. */
type NamesIn<O> = O extends unknown ? keyof O : never

/**
 * Refuses an option that nobody reads, since its name is mistyped or belongs elsewhere. What is no plain object, or undefined, is none of its concern.
 * @throws UsageError with the names there are.
 */
export function refuseUnknownOptions(at: string, given: unknown, names: OptionNames): void {
  if (!isPlainObject(given)) return
  const unknown = Object.keys(given).find((name) => Reflect.get(given, name) !== undefined && !names.includes(name))
  if (unknown === undefined) return
  const known = names.length === 0 ? 'there are none' : `there are ${[...new Set(names)].sort().join(', ')}`
  throw new UsageError(`${at} has no option '${unknown}': ${known}`)
}

/** Whether it is an object as programs write options. */
export function isPlainObject(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}
