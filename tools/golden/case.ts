import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from '@millrace/log'

/** One golden case: a topology, what to feed it, and what Kafka Streams answered. The format is described beside the cases. */
export interface GoldenCase {
  readonly name: string
  readonly topology: readonly GoldenNode[]
  readonly input: readonly GoldenInput[]
  /** Index of the input that caused it, topic, key, value, timestamp in milliseconds. */
  readonly output: readonly GoldenOutput[]
  /** Contents of key-value stores at the end, in key order. */
  readonly stores?: Readonly<Record<string, readonly GoldenEntry[]>>
  /** Why Kafka Streams does not build or run the topology; such a case has no output. */
  readonly refused?: string
}

/** A node of the topology; which fields it has depends on `op`. */
export interface GoldenNode {
  readonly op: string
  readonly id?: string
  readonly from?: string | readonly string[]
  readonly topic?: string
  readonly store?: string
  readonly fn?: string
  readonly keyFn?: string
  readonly branches?: readonly { readonly id: string; readonly fn: string }[]
  readonly default?: string
  readonly everyMs?: number
  readonly emit?: 'final'
  readonly window?: GoldenWindow
  /** Of a suppress; without it, until the window closes. */
  readonly untilTimeLimitMs?: number
  /** Of a suppress until a time limit: how many keys it holds back at most; of more it lets the oldest go. */
  readonly maxRecords?: number
  readonly left?: string
  readonly right?: string
  readonly within?: { readonly beforeMs: number; readonly afterMs: number; readonly graceMs: number }
  /** Of a stream joined with a versioned table. */
  readonly graceMs?: number
  readonly foreignKeyFn?: string
  readonly historyMs?: number
}

/** Times in milliseconds. */
export interface GoldenWindow {
  readonly type: string
  readonly sizeMs?: number
  readonly advanceMs?: number
  readonly differenceMs?: number
  readonly gapMs?: number
  /** Of the one window that begins here and has no end. */
  readonly startMs?: number
  readonly graceMs: number
}

/** Topic, key, value and timestamp of a record; or the wall clock moves. */
export type GoldenInput = readonly [string, string | null, string | null, number] | { readonly wallClockMs: number }

/** Index of the input that caused it, then as a record. */
export type GoldenOutput = readonly [number, string, string | null, string | null, number]

/** Key, value and timestamp in a store. */
export type GoldenEntry = readonly [string, string, number]

/** There are no golden cases where they were to be. */
export class GoldenFileError extends MillraceError {
  readonly code = 'GOLDEN_FILE'
}

/**
 * Reads the cases of files, and of all JSON files in directories.
 * @throws GoldenFileError
 */
export function readCases(paths: readonly string[]): GoldenCase[] {
  const cases = caseFiles(paths).flatMap(casesIn)
  if (cases.length === 0) throw new GoldenFileError(`there are no cases in ${paths.join(' ')}`)
  return cases
}

/** The files among the paths, and the JSON files of the directories, by name. @throws GoldenFileError */
export function caseFiles(paths: readonly string[]): string[] {
  return paths.flatMap(filesOf)
}

function casesIn(file: string): readonly GoldenCase[] {
  let found: unknown
  try {
    found = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new GoldenFileError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  if (Array.isArray(found) && found.every(isCase)) return found
  throw new GoldenFileError(`${file}: it is no list of recorded cases, each with a name, a topology, input and output`)
}

function isCase(value: unknown): value is GoldenCase {
  if (typeof value !== 'object' || value === null) return false
  const has = (field: string) => Array.isArray(Reflect.get(value, field))
  return 'name' in value && has('topology') && has('input') && (has('output') || 'refused' in value)
}

function filesOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new GoldenFileError(`${path}: there is no such file or directory`)
  if (!found.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => join(path, name))
}
