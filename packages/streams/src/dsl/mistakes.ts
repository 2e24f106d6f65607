import { UsageError } from '@millrace/log'
import type { Step } from '../graph/step.ts'

/** Fields of a step, and of what it is made of, that are functions of the program. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'fn',
  'timestamp',
  'mappedKey',
  'foreignKey',
  'partitioner',
  'initial',
  'add',
  'subtract',
  'merge',
  'make',
  'route'
])
const EMITS: readonly unknown[] = ['commit', 'changes', 'final']
const RESETS: readonly unknown[] = ['earliest', 'latest', 'none']

/**
 * Refuses what the types rule out and a program without types may write all the same, where it is written and not when the first record comes.
 * @throws UsageError naming topology, step and remedy.
 */
export function refuseMistakes(topology: string, { verb, label, body }: Step): void {
  const at = `topology '${topology}': ${verb}${label === undefined ? '' : ` '${label}'`}`
  if (body.kind === 'routed-sink' && typeof body.route !== 'function') {
    throw new UsageError(`${at} needs a topic, or a function that says one, where it was given ${shown(body.route)}`)
  }
  requireFunctions(at, body)
  if ('operator' in body) requireFunctions(at, body.operator)
  if ('aggregation' in body) requireFunctions(at, body.aggregation)
  if (body.kind === 'split') for (const predicate of body.predicates) requireFunction(at, predicate)
  if ('emit' in body && !EMITS.includes(body.emit)) {
    throw new UsageError(`${at}: emit is ${shown(body.emit)}: it is 'commit', 'changes', 'final' or { every: '5s' }`)
  }
  if (body.kind !== 'source') return
  for (const topic of body.topics) {
    if (typeof topic !== 'string') throw new UsageError(`${at}: a topic is a text or a pattern, not ${shown(topic)}`)
  }
  if (typeof body.reset === 'string' && !RESETS.includes(body.reset)) {
    throw new UsageError(`${at}: reset is ${shown(body.reset)}: it is 'earliest', 'latest', 'none' or { since: '1d' }`)
  }
}

/** The function, if it is one. @throws UsageError */
export function requireFunction<F>(at: string, given: F): F {
  if (typeof given !== 'function') throw new UsageError(`${at} needs a function where it was given ${shown(given)}`)
  return given
}

/** Options that cannot be left out. @throws UsageError that shows what they may look like. */
export function requireOptions<T>(given: T, call: string, example: string): T {
  if (typeof given === 'object' && given !== null) return given
  throw new UsageError(`${call} needs ${example}, or the like, and was given ${shown(given)}`)
}

function requireFunctions(at: string, of: object): void {
  for (const [name, value] of Object.entries(of)) if (FUNCTIONS.has(name)) requireFunction(at, value)
}

function shown(value: unknown): string {
  return typeof value === 'string'
    ? `'${value}'`
    : typeof value === 'object' && value !== null
      ? 'an object'
      : `${value}`
}
