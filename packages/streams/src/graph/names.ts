import { changesKey, type Step, storeOf } from './step.ts'

/**
 * Names derived from what a step is, never from a counter, so that an edit elsewhere renames no store and no topic:
 *
 * - a **path** is the nearest named ancestor (a topic, a store, or a step that was given a name), then the key-changing steps since:
 *   `clicks`, `clicks-groupBy`. Steps without state that keep the key do not count.
 * - a step's name is its path, then its own kind: `clicks-groupBy-count`.
 *
 * Only nodes without state and without topic may tie; those get `-2`, `-3` in the order they were written, and nothing durable hangs on it.
 */

/** The path of what comes below a step. */
export function pathBelow(step: Step): string {
  const known = paths.get(step)
  if (known !== undefined) return known
  const path = findPath(step)
  paths.set(step, path)
  return path
}

/** Paths found so far: streams that part and merge again would otherwise be walked once per way through them. */
const paths = new WeakMap<Step, string>()

function findPath(step: Step): string {
  const store = storeOf(step)
  if (store !== undefined) return storeName(step, store.name)
  const { body, label } = step
  if (body.kind === 'source') return label ?? (body.pattern ? patternName(body.pattern) : body.topics.join('-'))
  if (body.kind === 'table-join' || body.kind === 'stream-join') return label ?? `${pathAbove(step)}-${step.verb}`
  if (body.kind === 'merge' || body.kind === 'repartition') return label ?? pathAbove(step)
  if (body.kind === 'branch') return `${pathAbove(step)}-${body.branch}`
  if (changesKey(step)) return label ?? `${pathAbove(step)}-${step.verb}`
  return pathAbove(step)
}

/** The name of a step's node, before ties are told apart. */
export function nodeName(step: Step): string {
  const { body, label, verb } = step
  if (body.kind === 'source') return `${pathBelow(step)}-source`
  if (body.kind === 'repartition') return repartitionName(step)
  const store = storeOf(step)
  if (store !== undefined && label === undefined)
    return store.name === undefined ? storeName(step, undefined) : `${store.name}-${verb}`
  if (body.kind === 'sink') return label ?? `${body.topic}-sink`
  return label ?? `${pathAbove(step)}-${verb}`
}

/** The store's name: the program's, or the path and kind of the step that keeps it. */
export function storeName(step: Step, given: string | undefined): string {
  return given ?? `${pathAbove(step)}-${step.verb}`
}

/** A global table's store: the program's name, or one after the topic. */
export function globalStoreName(topic: string, given: string | undefined): string {
  return given ?? `${topic}-globalTable`
}

/** An internal topic's name, without the application's prefix. */
export function repartitionName(step: Step): string {
  return `${pathBelow(step)}-${step.verb}`
}

function pathAbove(step: Step): string {
  if (step.keyed?.name !== undefined) return step.keyed.name
  return [...new Set(step.parents.map(pathBelow))].join('-')
}

/** Full name of an internal topic. */
export function internalTopicName(application: string, name: string): string {
  return `${application}-${name}`
}

/** Full name of a store's changelog topic. */
export function changelogTopicName(application: string, store: string): string {
  return `${application}-${store}-changelog`
}

/** What of a pattern can be part of a name. */
export function patternName({ source }: RegExp): string {
  return source.replace(/[^a-zA-Z0-9_]+/g, '-').replace(/^-|-$/g, '') || 'pattern'
}

/** Names that Kafka takes for a topic: what is wrong with this one, or undefined. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name === '.' || name === '..') return `'${name}' is reserved`
  if (name.length > 249) return `'${name}' is longer than 249 characters`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return `'${name}' has characters other than a-z, A-Z, 0-9, '.', '_' and '-'`
  return undefined
}
