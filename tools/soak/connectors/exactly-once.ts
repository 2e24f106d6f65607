import type { Log } from '@millrace/log'
import type pg from 'pg'
import { readCommitted } from '../../../examples/read-committed.ts'
import { DifferenceError } from './compare.ts'

/** A committed record. */
export interface Committed {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
}

/** Keys that only rows have whose key was changed by the load. */
const MOVED_KEY = /"id":(1\d\d\d|100\d\d\d)\}/

/** What was counted on the log. */
export interface LogFigures {
  readonly changes: number
  readonly snapshotRows: number
  readonly truncates: number
}

/**
 * @throws DifferenceError when a change of the source is on the log twice, a row was read twice by a snapshot, or a truncate has not reached every
 * partition.
 */
export async function checkCaptured(log: Log, tables: readonly string[], canMove = true): Promise<LogFigures> {
  const figures = { changes: 0, snapshotRows: 0, truncates: 0 }
  for (const table of tables) {
    const seen = new Set<string>()
    const truncates = new Map<string, number>()
    const partitions = await readAll(log, `shop.public.${table}`, ({ partition, key, value }) => {
      if (value === null) return
      const { op, source } = JSON.parse(value) as { op: string; source: { lsn: number } }
      const identity = op === 'r' ? `r ${key}` : `${op} ${source.lsn} ${key} ${op === 't' ? partition : ''}`
      // A row that got another key while its table was read is read under both, if a large value of it had to be found.
      if (canMove && op === 'r' && MOVED_KEY.test(String(key))) return
      if (seen.has(identity)) throw new DifferenceError(`${table}: twice on the log: ${identity}`)
      seen.add(identity)
      if (op === 't') truncates.set(String(source.lsn), (truncates.get(String(source.lsn)) ?? 0) + 1)
      else if (op === 'r') figures.snapshotRows++
      else figures.changes++
    })
    for (const [lsn, count] of truncates) {
      if (count !== partitions)
        throw new DifferenceError(`${table}: the truncate at ${lsn} is in ${count} of ${partitions} partitions`)
    }
    figures.truncates += truncates.size
  }
  return figures
}

/** @throws DifferenceError unless the changes of each key are numbered 1, 2, 3 and so on, and the history is each of them once. */
export async function checkResults(log: Log, target: pg.Client): Promise<number> {
  const written: string[] = []
  for (const topic of ['enriched', 'regions']) {
    const versions = new Map<string, number>()
    await readAll(log, topic, ({ key, value }) => {
      const version = (versions.get(String(key)) ?? 0) + 1
      versions.set(String(key), version)
      if (value === null) return
      const row = JSON.parse(value) as { version: number }
      if (row.version !== version) {
        throw new DifferenceError(`${topic}: change ${version} of ${key} says that it is ${row.version}`)
      }
      if (topic === 'enriched') written.push(`${JSON.parse(String(key)).id} ${version}`)
    })
  }
  const { rows } = await target.query(`select id || ' ' || version as change from history`)
  const history = rows.map(({ change }) => String(change)).toSorted()
  if (history.join() !== written.toSorted().join()) {
    throw new DifferenceError(
      `history has ${history.length} rows for ${written.length} records, ${new Set(history).size} of them different`
    )
  }
  await checkAudit(target)
  return written.length
}

/** @throws DifferenceError when a write repeated a version of its row, or took it back. */
async function checkAudit(target: pg.Client): Promise<void> {
  const { rows } = await target.query(
    `select * from (
       select target, key, place, version, max(version) over (partition by target, key order by place rows between unbounded preceding and 1 preceding) as before
       from audit where version is not null) a
     where version <= before order by place limit 5`
  )
  if (rows.length > 0) throw new DifferenceError(`the target was written twice: ${JSON.stringify(rows)}`)
}

/** Visits all records of a topic that are committed now, as text, partition by partition in order. @returns how many partitions there are. */
export function readAll(log: Log, topic: string, visit: (record: Committed) => void): Promise<number> {
  return readCommitted(log, topic, (key, value, partition) =>
    visit({ partition, key: key?.toString() ?? null, value: value?.toString() ?? null })
  )
}
