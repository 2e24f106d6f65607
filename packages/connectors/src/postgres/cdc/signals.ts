import type { ConnectorEvent } from '../../connector-event.ts'
import { newSnapshot } from './position.ts'
import type { Snapshotter } from './snapshot/snapshotter.ts'
import { type CatalogTable, qualifiedName } from './tables/table-shape.ts'

/** Something to be done while the source runs: Debezium's signals. */
export interface CdcSignal {
  readonly type: 'execute-snapshot' | 'stop-snapshot' | 'pause-snapshot' | 'resume-snapshot' | 'log'
  /** Tables, as `schema.table` or as an expression for the whole name. */
  readonly tables?: readonly string[]
  /** Only rows that an SQL condition holds for, by table. */
  readonly conditions?: Readonly<Record<string, string>>
  /** What `log` says. */
  readonly message?: string
}

const TYPES: readonly CdcSignal['type'][] = [
  'execute-snapshot',
  'stop-snapshot',
  'pause-snapshot',
  'resume-snapshot',
  'log'
]

/** Reads a row of Debezium's signal table (`id`, `type`, `data`); a text when it says nothing that can be done. */
export function parseSignal(type: string | undefined, data: string | undefined): CdcSignal | string {
  const known = TYPES.find((one) => one === type)
  if (!known) return `signal type ${type} is none of ${TYPES.join(', ')}`
  let parsed: unknown
  try {
    parsed = data ? JSON.parse(data) : {}
  } catch {
    return `data of signal ${type} is no JSON: ${data}`
  }
  if (typeof parsed !== 'object' || parsed === null) return `data of signal ${type} is no object: ${data}`
  const tables = textsIn(field(parsed, 'data-collections'))
  const conditions = conditionsIn(field(parsed, 'additional-conditions'))
  const message = field(parsed, 'message')
  return {
    type: known,
    tables,
    ...(Object.keys(conditions).length > 0 ? { conditions } : {}),
    ...(typeof message === 'string' ? { message } : {})
  }
}

function field(object: object, name: string): unknown {
  return Object.entries(object).find(([key]) => key === name)?.[1]
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function conditionsIn(value: unknown): Record<string, string> {
  const conditions: Record<string, string> = {}
  for (const item of Array.isArray(value) ? value : []) {
    const table = field(Object(item), 'data-collection')
    const filter = field(Object(item), 'filter')
    if (typeof table === 'string' && typeof filter === 'string') conditions[table] = filter
  }
  return conditions
}

/** What a signal may touch. */
export interface SignalTarget {
  readonly snapshotter: Snapshotter
  /** Captured tables that have a key. */
  readonly keyedTables: () => Promise<readonly CatalogTable[]>
  readonly report: (event: ConnectorEvent) => void
}

/** Does what the signal says. @returns tables whose snapshot changed its state without a row. */
export async function applySignal(signal: CdcSignal, target: SignalTarget): Promise<readonly string[]> {
  const { snapshotter, report } = target
  const done = (message: string) => report({ level: 'info', code: `signal-${signal.type}`, message })
  switch (signal.type) {
    case 'log':
      done(signal.message ?? '')
      return []
    case 'pause-snapshot':
      snapshotter.pause()
      done('snapshots are paused')
      return []
    case 'resume-snapshot':
      snapshotter.resume()
      done('snapshots go on')
      return []
    case 'stop-snapshot': {
      const stopped = snapshotter.cancel(signal.tables ?? []).map((task) => task.table)
      done(`snapshots stopped: ${stopped.join(', ') || 'none'}`)
      return stopped
    }
    default:
      return execute(signal, target)
  }
}

async function execute(signal: CdcSignal, { snapshotter, keyedTables, report }: SignalTarget): Promise<string[]> {
  const known = await keyedTables()
  const started: string[] = []
  for (const name of signal.tables ?? []) {
    const pattern = expressionOf(name)
    const tables = known.filter((table) => qualifiedName(table) === name || pattern?.test(qualifiedName(table)))
    if (tables.length === 0) {
      const why = pattern ? 'it is not captured, or has no primary key to read it by' : 'it is no regular expression'
      report({ level: 'warning', code: 'signal-refused', message: `no snapshot of ${name}: ${why}` })
    }
    for (const { membership, ...table } of tables) {
      const condition = signal.conditions?.[name] ?? signal.conditions?.[qualifiedName(table)]
      const chosen = condition ? { condition } : {}
      snapshotter.add(qualifiedName(table), newSnapshot({ mode: 'incremental', membership, ...chosen }))
      started.push(qualifiedName(table))
    }
  }
  if (started.length > 0) {
    report({ level: 'info', code: 'snapshot-started', message: `incremental snapshot of ${started.join(', ')}` })
  }
  return started
}

/** Undefined when it is none: whoever may write signals must not be able to stop the source. */
function expressionOf(name: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${name})$`)
  } catch {
    return undefined
  }
}
