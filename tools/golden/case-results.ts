import { MillraceError } from '@millrace/log'
import {
  type CogroupedKStream,
  type GlobalKTable,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type StreamsBuilder,
  string,
  type Windowed
} from '@millrace/streams'
import type { GoldenNode } from './case.ts'
import type { WindowedGroup } from './window-operators.ts'

/** A key or a value of a case. */
export type Text = string | null
/** A stream with text. */
export type Stream = KStream<Text, Text>
/** A grouped stream with text. */
export type Grouped = KGroupedStream<string, Text>
/** A table with text values; its keys are text, or windowed text. */
export type Table = KTable<string, Text>
/** A table whose keys are windows. */
export type WindowedTable = KTable<Windowed<string>, Text>

/** As in Kafka Streams without names, every step that aggregates one group has an internal topic of its own, if it needs one: it is named after the step. */
type For<T> = (step: string) => T

/** What a node's id stands for. A windowed group keeps when it is to emit. */
export type Result =
  | { readonly kind: 'stream'; readonly stream: Stream }
  | { readonly kind: 'branches'; readonly branches: ReadonlyMap<string, Stream> }
  | { readonly kind: 'grouped'; readonly grouped: For<Grouped> }
  | { readonly kind: 'cogrouped'; readonly cogrouped: For<CogroupedKStream<string, Text>> }
  | { readonly kind: 'windowed'; readonly windows: For<WindowedGroup> }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'windowed-table'; readonly table: WindowedTable }
  | { readonly kind: 'global'; readonly global: GlobalKTable<string, Text> }
  | { readonly kind: 'grouped-table'; readonly grouped: For<KGroupedTable<string, Text>> }

/** An operator, or a form of it, that the DSL does not have yet. The case is skipped. */
export class UnsupportedOperatorError extends MillraceError {
  readonly code = 'GOLDEN_UNSUPPORTED_OPERATOR'
  readonly operator: string

  constructor(operator: string) {
    super(`${operator} is not built yet`)
    this.operator = operator
  }
}

/** How a case is run. */
export interface InterpretOptions {
  /** When results go on that are not final: every update at once, as Kafka Streams' with caching off; or the last per key at each commit. */
  readonly emit?: 'changes' | 'commit'
  /**
   * What the first update of an aggregate says that the key was: what the aggregation begins with, as Kafka Streams has it, or nothing. A group of the
   * table takes away what it never had in the first way, if it has a row by then: with several partitions, not each run has.
   */
  readonly firstOldValue?: 'initial' | 'nothing'
  /**
   * What becomes of an answer of a foreign-key join that comes when the left row has changed again: it is dropped, as Kafka Streams has it, or asked for
   * again. Where answers wait for a commit, a deletion may be among what is dropped, and the result stays.
   */
  readonly staleAnswers?: 'dropped' | 'repeated'
}

/** What operators of a case are made in. */
export interface Scope extends Required<InterpretOptions> {
  readonly builder: StreamsBuilder
  readonly nodes: readonly GoldenNode[]
  readonly results: ReadonlyMap<string, Result>
}

/** Keys are text. */
export const TEXT_KEY = { key: string() }
/** Values are text. */
export const TEXT_VALUE = { value: string() }
/** Keys and values are text. */
export const TEXT = { ...TEXT_KEY, ...TEXT_VALUE }

/** A stream, as the result of a node. */
export function streamOf(stream: Stream): Result {
  return { kind: 'stream', stream }
}

/** A table, as the result of a node. */
export function tableOf(table: Table): Result {
  return { kind: 'table', table }
}

/**
 * The one result that a node reads.
 * @throws {UnsupportedOperatorError} where it names none, several, or one that there is not.
 */
export function resultFrom({ op, from }: GoldenNode, { results }: Scope): Result {
  const result = typeof from === 'string' ? results.get(from) : undefined
  if (result === undefined) throw new UnsupportedOperatorError(op)
  return result
}

/**
 * The stream a node reads.
 * @throws {UnsupportedOperatorError} where it reads something else.
 */
export function streamFrom(node: GoldenNode, scope: Scope): Stream {
  const result = resultFrom(node, scope)
  if (result.kind !== 'stream') throw new UnsupportedOperatorError(`${node.op} of a ${result.kind}`)
  return result.stream
}

/** The table a node reads, if it reads one. */
export function tableFrom(node: GoldenNode, scope: Scope): Table | undefined {
  const result = resultFrom(node, scope)
  return result.kind === 'table' ? result.table : undefined
}

/** The windowed table a node reads, if it reads one. */
export function windowsFrom(node: GoldenNode, scope: Scope): WindowedTable | undefined {
  const result = resultFrom(node, scope)
  return result.kind === 'windowed-table' ? result.table : undefined
}

/** A table of windows, as the result of a node. */
export function windowsOf(table: WindowedTable): Result {
  return { kind: 'windowed-table', table }
}

/** What a node keeps is named after it, so that no two of a case tie. */
export function storeOf({ id, store = id }: GoldenNode): { readonly store?: string } {
  return store === undefined ? {} : { store }
}

/** The store the case asks for, of tables that are kept only then, and when such a table's changes go on. */
export function givenStore(
  { store, historyMs }: GoldenNode,
  { emit }: Scope
): { readonly store?: string; readonly emit?: Scope['emit']; readonly history?: number } {
  return store === undefined ? {} : { store, emit, ...(historyMs !== undefined && { history: historyMs }) }
}

/** What a node that may have a name is called. */
export function nameOf({ id }: GoldenNode): { readonly name?: string } {
  return id === undefined ? {} : { name: id }
}

/** A table's stream has no null keys; to cases it is a stream like any other. */
export function keyed(stream: KStream<string, Text>): Stream {
  return stream as unknown as Stream
}

/** A windowed key as cases print it, with Kafka Streams' end of a window without one. */
export function windowText({ key, startMs, endMs }: Windowed<string>): string {
  return `${key}@${startMs}/${endMs === Number.MAX_SAFE_INTEGER ? '9223372036854775807' : endMs}`
}
