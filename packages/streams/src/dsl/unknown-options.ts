import { isPlainObject, type OptionNames, optionNames, refuseUnknownOptions } from '../graph/option-names.ts'
import type { ForeignKeyPartitioners, JoinStores } from './join-options.ts'
import type { AsyncRetryOptions } from './map-async-options.ts'
import type { Materialized } from './materialized.ts'
import type { EmitEvery } from './options.ts'

/** Where a method's options are among what it was given, and their names; undefined for a method that takes none. */
export type Takes = ((given: readonly unknown[]) => readonly [options: unknown, names: OptionNames]) | undefined

/** What methods take, by their names. */
export type KnownMethods = Readonly<Record<string, Takes>>

/** Options that are objects themselves, in whatever step. */
const nested: Readonly<Record<string, OptionNames>> = {
  store: optionNames<Materialized>({ name: true, changelog: true, engine: true }),
  stores: optionNames<JoinStores>({ left: true, right: true, unmatched: true }),
  emit: optionNames<EmitEvery>({ every: true }),
  retry: optionNames<AsyncRetryOptions>({ maxAttempts: true, backoff: true, maxBackoff: true, when: true }),
  onLate: ['lateTo'],
  reset: ['since'],
  within: ['before', 'after'],
  repartition: ['left', 'right'],
  partitioners: optionNames<ForeignKeyPartitioners<unknown, unknown>>({ left: true, right: true })
}

/**
 * The fluent object, whose methods refuse options that nobody reads: the one place that every step of a program goes through with what it was given.
 * @param topology its name
 */
export function refusingUnknownOptions<T extends object>(made: T, topology: string, methods: KnownMethods): T {
  for (const [method, takes] of Object.entries(methods)) {
    const call: unknown = Reflect.get(made, method)
    if (takes === undefined || typeof call !== 'function') continue
    const value = (...given: unknown[]): unknown => {
      const [options, names] = takes(given)
      if (isPlainObject(options)) refuse(`topology '${topology}': ${method}`, options, names)
      return Reflect.apply(call, made, given)
    }
    Object.defineProperty(made, method, { value })
  }
  return made
}

function refuse(call: string, options: object, names: OptionNames): void {
  const name: unknown = Reflect.get(options, 'name')
  const at = typeof name === 'string' ? `${call} '${name}'` : call
  // Programs give the same serdes all along; one more than a step needs is no mistake.
  refuseUnknownOptions(at, options, [...names, ...SERDES.filter((slot) => isSerde(Reflect.get(options, slot)))])
  for (const [option, within] of Object.entries(options)) {
    // What was made by another call, a store of a processor or a serde, is of a kind of its own.
    if (names.includes(option) && isPlainObject(within) && !('kind' in within)) {
      refuseUnknownOptions(`${at}: ${option}`, within, nested[option] ?? Object.keys(within))
    }
  }
}

const SERDES = ['key', 'value']

function isSerde(given: unknown): boolean {
  return isPlainObject(given) && 'encode' in given && 'decode' in given
}
