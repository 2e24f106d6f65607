import {
  type CogroupedKStream,
  hopping,
  type KGroupedStream,
  type KTable,
  type SessionWindowedCogroupedKStream,
  type SessionWindowedKStream,
  sessions,
  sliding,
  string,
  type TimeWindowedCogroupedKStream,
  type TimeWindowedKStream,
  tumbling,
  unlimited,
  type Windowed
} from '@millrace/streams'
import type { GoldenWindow } from './case.ts'
import { printed } from './functions.ts'

type Text = string | null

/** What goes on and when, and the retention that Kafka Streams gives a window by itself. */
interface WindowOptions {
  readonly emit: 'changes' | 'commit' | 'final'
  readonly firstOldValue: 'initial' | 'nothing'
  readonly retention?: number
}

/** A grouped stream in windows, with how it is to be aggregated. */
export type WindowedGroup = { readonly options: WindowOptions } & (
  | { readonly kind: 'time'; readonly windowed: TimeWindowedKStream<string, Text> }
  | { readonly kind: 'session'; readonly windowed: SessionWindowedKStream<string, Text> }
  | { readonly kind: 'cogrouped-time'; readonly windowed: TimeWindowedCogroupedKStream<string, Text> }
  | { readonly kind: 'cogrouped-session'; readonly windowed: SessionWindowedCogroupedKStream<string, Text> }
)

/** Divides what `windowedBy` is called on; undefined when the windows are of a kind there is none of. */
export function windowGroup(
  grouped:
    | { readonly kind: 'grouped'; readonly grouped: KGroupedStream<string, Text> }
    | { readonly kind: 'cogrouped'; readonly cogrouped: CogroupedKStream<string, Text> },
  window: GoldenWindow,
  updates: Omit<WindowOptions, 'retention'>
): WindowedGroup | undefined {
  const options = { ...updates, ...retentionOf(window) }
  if (window.type === 'session') {
    const by = sessions({ gap: window.gapMs ?? 0, grace: window.graceMs })
    return grouped.kind === 'grouped'
      ? { kind: 'session', windowed: grouped.grouped.windowedBy(by), options }
      : { kind: 'cogrouped-session', windowed: grouped.cogrouped.windowedBy(by), options }
  }
  const by =
    window.type === 'unlimited'
      ? unlimited({ start: window.startMs ?? 0 })
      : window.type === 'sliding'
        ? slidingOf(window)
        : alignedOf(window)
  if (by === undefined) return undefined
  return grouped.kind === 'grouped'
    ? { kind: 'time', windowed: grouped.grouped.windowedBy(by), options }
    : { kind: 'cogrouped-time', windowed: grouped.cogrouped.windowedBy(by), options }
}

/** count, reduce or aggregate over windows; counts are printed as decimals. */
export function aggregateWindows(
  op: string,
  on: WindowedGroup,
  named: { readonly store?: string }
): KTable<Windowed<string>, Text> {
  const options = { ...named, ...on.options }
  const typed = { ...options, value: string() }
  switch (on.kind) {
    case 'cogrouped-time':
      return on.windowed.aggregate(initial, typed)
    case 'cogrouped-session':
      return on.windowed.aggregate(initial, merger, typed)
    case 'time':
      if (op === 'count') return on.windowed.count(options).mapValues<Text>(String, { value: string() })
      if (op === 'reduce') return on.windowed.reduce(reducer, options)
      return on.windowed.aggregate<Text>(initial, adder, typed)
    case 'session':
      if (op === 'count') return on.windowed.count(options).mapValues<Text>(String, { value: string() })
      if (op === 'reduce') return on.windowed.reduce(reducer, options)
      return on.windowed.aggregate<Text>(initial, adder, merger, typed)
  }
}

function retentionOf(window: GoldenWindow): { readonly retention?: number } {
  const { type, sizeMs = 0, gapMs = 0, differenceMs = 0, graceMs } = window
  switch (type) {
    case 'unlimited':
      return {}
    case 'session':
      return { retention: gapMs + graceMs }
    case 'sliding':
      return { retention: 2 * differenceMs + graceMs }
    default:
      return { retention: sizeMs + graceMs }
  }
}

function slidingOf({ differenceMs = 0, graceMs }: GoldenWindow) {
  return sliding({ difference: differenceMs, grace: graceMs })
}

function alignedOf({ type, sizeMs = 0, advanceMs = sizeMs, graceMs }: GoldenWindow) {
  if (type === 'tumbling') return tumbling({ size: sizeMs, grace: graceMs })
  if (type === 'hopping') return hopping({ size: sizeMs, advance: advanceMs, grace: graceMs })
  return undefined
}

const initial = (): string => '0'
const adder = (value: Text, aggregate: string): string => `${aggregate}+${printed(value)}`
const merger = (left: string, right: string): string => `(${left}&${right})`
const reducer = (value: Text, reduced: string): string => `${reduced},${printed(value)}`
