import { TransientSourceError } from '../../errors.ts'
import type { PostgresClient } from '../driver.ts'
import type { BatchBuilder } from './batch-builder.ts'
import { PostgresSlotLostError } from './errors.ts'
import { newSnapshot, type SnapshotPosition, snapshotSplit } from './position.ts'
import type { CoveredTables } from './publication.ts'
import { type CdcSessionParts, type CdcStart, publicationNameOf, slotNameOf } from './session-parts.ts'
import { applySignal, type CdcSignal } from './signals.ts'
import { checkMemberships } from './slot.ts'
import type { RecentChanges } from './snapshot/recent-changes.ts'
import type { Snapshotter } from './snapshot/snapshotter.ts'
import { type CatalogTable, qualifiedName, readTables } from './tables/table-shape.ts'

/** What the control of snapshots works with. */
export interface SnapshotControlParts {
  readonly session: CdcSessionParts
  readonly start: CdcStart
  readonly client: PostgresClient
  readonly snapshotter: Snapshotter
  readonly batch: BatchBuilder
  readonly recent: RecentChanges
  /** How far the stream is. */
  readonly reached: () => string
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
  /** By which entry of the publication the changes of each table come. */
  readonly #memberships = new Map<string, string>()
  readonly #gone = new Set<string>()

  constructor(parts: SnapshotControlParts) {
    this.#parts = parts
    for (const table of parts.start.covered.tables) this.#memberships.set(qualifiedName(table), table.membership)
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
    this.#checkMemberships(covered)
    this.#reportGone(covered)
    for (const table of covered.tables) {
      const name = qualifiedName(table)
      this.#memberships.set(name, table.membership)
      if (!filter.matches(name) || start.snapshots.has(name) || this.#added.has(name)) continue
      this.#added.add(name)
      const visible = `${covered.barrier}:${covered.barrier}:`
      const pages = table.key.length === 0 ? { pages: { leaf: 0, next: 0, visible } } : {}
      const position: SnapshotPosition =
        options.snapshot === 'never'
          ? newSnapshot({ state: 'done', membership: table.membership })
          : newSnapshot({ barrier: covered.barrier, ...pages, membership: table.membership })
      batch.position(snapshotSplit(name), position)
      context.report({ level: 'info', code: 'table-added', message: `${name} is captured from now on` })
      snapshotter.add(name, position)
    }
  }

  /** What is known of such tables stays, so that one that comes back is seen to have been away. */
  #reportGone({ tables }: CoveredTables): void {
    const { filter, context } = this.#parts.session
    const names = new Set(tables.map(qualifiedName))
    for (const name of this.#memberships.keys()) {
      if (names.has(name)) this.#gone.delete(name)
      else if (filter.matches(name) && !this.#gone.has(name)) {
        this.#gone.add(name)
        const message = `${name} is not published any more: it was dropped or renamed. Its rows stay on the log as they are`
        context.report({ level: 'warning', code: 'table-gone', message })
      }
    }
  }

  /** @throws PostgresSlotLostError when a table was not published for a while; TransientSourceError when the next start mends that. */
  #checkMemberships({ tables }: CoveredTables): void {
    const { session, reached } = this.#parts
    const { filter, options } = session
    const captured = tables.filter((table) => filter.matches(qualifiedName(table)))
    try {
      checkMemberships({ slot: slotNameOf(options), lsn: reached() }, this.#memberships, captured)
    } catch (error) {
      if (!(error instanceof PostgresSlotLostError) || options.onLostSlot !== 'resnapshot') throw error
      throw new TransientSourceError(error.message, { cause: error })
    }
  }

  async #apply(signal: CdcSignal): Promise<void> {
    const { session, batch, recent, snapshotter } = this.#parts
    const { report } = session.context
    const changed = await applySignal(signal, { snapshotter, keyedTables: () => this.#keyedTables(), report })
    for (const name of changed) {
      const position = snapshotter.positionOf(name)
      if (position) batch.position(snapshotSplit(name), position)
    }
    if (snapshotter.unfinished.length === 0) recent.stop()
  }

  async #keyedTables(): Promise<CatalogTable[]> {
    const { session, start, client } = this.#parts
    const tables = await readTables(client, publicationNameOf(session.options), start.server.version)
    return tables.filter((table) => table.key.length > 0 && session.filter.matches(qualifiedName(table)))
  }
}
