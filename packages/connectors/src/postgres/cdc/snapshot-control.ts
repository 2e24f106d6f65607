import type { PostgresClient } from '../driver.ts'
import type { BatchBuilder } from './batch-builder.ts'
import { newSnapshot, type SnapshotPosition, snapshotSplit } from './position.ts'
import type { CoveredTables } from './publication.ts'
import { type CdcSessionParts, type CdcStart, publicationNameOf } from './session-parts.ts'
import { applySignal, type CdcSignal } from './signals.ts'
import type { RecentChanges } from './snapshot/recent-changes.ts'
import type { Snapshotter } from './snapshot/snapshotter.ts'
import { qualifiedName, readTables } from './tables/table-shape.ts'

/** What the control of snapshots works with. */
export interface SnapshotControlParts {
  readonly session: CdcSessionParts
  readonly start: CdcStart
  readonly client: PostgresClient
  readonly snapshotter: Snapshotter
  readonly batch: BatchBuilder
  readonly recent: RecentChanges
}

/**
 * Decides which tables are read: those that were not finished at the start, those that come to be captured later, and those that signals ask for.
 * Acts between transactions only, since that is where a snapshot's position may be written.
 */
export class SnapshotControl {
  readonly #parts: SnapshotControlParts
  /** Tables that came after the start. */
  readonly #added = new Set<string>()
  readonly #covered: CoveredTables[] = []

  constructor(parts: SnapshotControlParts) {
    this.#parts = parts
  }

  /** Begins, or goes on with, the snapshots that the start found. */
  begin(): void {
    const { session, start, batch, recent, snapshotter } = this.#parts
    for (const [table, position] of start.snapshots) {
      const split = snapshotSplit(table)
      if (session.positions.get(split) !== position) batch.position(split, position)
      if (position.kind !== 'snapshot' || position.state === 'done') continue
      if (!recent.isRecording) recent.record(start.unseen)
      snapshotter.add(table, position)
    }
  }

  /** The publication covers these tables now: those that are new are taken up by `next`. */
  covered(tables: CoveredTables): void {
    this.#covered.push(tables)
  }

  /** Does what came from outside since, one thing a call. Undefined when there is nothing. */
  next(): Promise<void> | undefined {
    const covered = this.#covered.shift()
    if (covered) {
      this.#addNewTables(covered)
      return Promise.resolve()
    }
    const signal = this.#parts.session.signals.shift()
    return signal ? this.#apply(signal) : undefined
  }

  /** Tables that were created, or published, since the source was opened. */
  #addNewTables(covered: CoveredTables): void {
    const { session, start, batch, snapshotter } = this.#parts
    const { filter, options, context } = session
    for (const table of covered.tables) {
      const name = qualifiedName(table)
      if (!filter.matches(name) || start.snapshots.has(name) || this.#added.has(name)) continue
      this.#added.add(name)
      const visible = `${covered.barrier}:${covered.barrier}:`
      const pages = table.key.length === 0 ? { pages: { leaf: 0, next: 0, visible } } : {}
      const position: SnapshotPosition =
        options.snapshot === 'never'
          ? newSnapshot({ state: 'done' })
          : newSnapshot({ barrier: covered.barrier, ...pages })
      batch.position(snapshotSplit(name), position)
      context.report({ level: 'info', code: 'table-added', message: `${name} is captured from now on` })
      snapshotter.add(name, position)
    }
  }

  async #apply(signal: CdcSignal): Promise<void> {
    const { session, batch, recent, snapshotter } = this.#parts
    const { report } = session.context
    const changed = await applySignal(signal, { snapshotter, keyedTables: () => this.#keyedTables(), report })
    for (const name of changed) {
      const task = snapshotter.unfinished.find((one) => one.table === name)
      batch.position(snapshotSplit(name), task?.position ?? newSnapshot({ state: 'done' }))
    }
    if (snapshotter.unfinished.length === 0) recent.stop()
  }

  async #keyedTables(): Promise<string[]> {
    const { session, start, client } = this.#parts
    const tables = await readTables(client, publicationNameOf(session.options), start.server.version)
    return tables
      .filter((table) => table.key.length > 0 && session.filter.matches(qualifiedName(table)))
      .map(qualifiedName)
  }
}
