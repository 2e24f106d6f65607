import { nodeName } from '../../graph/names.ts'
import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addStateless } from './stateless.ts'

/** What a print is told, its types laid down. */
export interface PrintStep {
  readonly name?: string
  readonly label?: string
  readonly mapper?: Callback<string>
  readonly write?: (line: string) => void
}

/** Prints each record as `[label]: key, value`, and ends there. */
export function print(point: Point, options: PrintStep): void {
  const { name, label = name ?? nodeName(point.step), mapper = keyAndValue, write = toConsole } = options
  const fn: Callback<void> = (value, record) => write(`[${label}]: ${mapper(value, record)}`)
  addStateless(point, { verb: 'print', name, operator: { kind: 'peek', fn, end: 'print' } })
}

const keyAndValue: Callback<string> = (value, { key }) => `${printed(key)}, ${printed(value)}`

function printed(thing: unknown): string {
  if (typeof thing !== 'object' || thing === null) return String(thing)
  return JSON.stringify(thing, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
}

function toConsole(line: string): void {
  console.log(line)
}
