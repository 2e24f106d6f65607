import { type Environment, UsageError } from '@millrace/log'
import type { Positions, SourceContext, SourceReader } from '../../source.ts'
import type { PostgresClient } from '../driver.ts'
import { type CdcClient, connectPostgres, serialClient } from './connection.ts'
import { PostgresSlotLostError } from './errors.ts'
import type { CdcProgress, PostgresCdcOptions } from './options.ts'
import { type CdcPosition, newSnapshot, STREAM_SPLIT, type StreamPosition, snapshotSplit } from './position.ts'
import { checkServer, checkTables, checkTimeline, type PreflightParts } from './preflight.ts'
import { type CoveredTables, ensurePublication, type PublicationParts } from './publication.ts'
import { ReaderAssembly } from './reader-assembly.ts'
import { type Lsn, parseLsn } from './replication/lsn.ts'
import type { CdcSignal } from './signals.ts'
import {
  checkSlot,
  checkUsable,
  createSlot,
  dropSlot,
  identifySystem,
  readSlot,
  type ServerIdentity,
  type SlotState,
  visibilityOf
} from './slot.ts'
import type { TableFilter } from './tables/table-filter.ts'
import { qualifiedName } from './tables/table-shape.ts'

/** What one opening of a source has to do with. */
export interface CdcSessionParts {
  readonly options: PostgresCdcOptions
  readonly filter: TableFilter
  readonly positions: Positions<CdcPosition>
  readonly context: SourceContext
  readonly signals: CdcSignal[]
  readonly progress: (now: CdcProgress) => void
}

/** The connections of a source: for statements, for the stream, and for reading tables. */
export interface CdcConnections {
  readonly client: PostgresClient
  readonly replication: CdcClient
  readonly snapshot: CdcClient
}

/** What is known when the stream can begin. */
export interface CdcStart {
  readonly server: ServerIdentity
  readonly lsn: Lsn
  readonly open: StreamPosition['open']
  readonly unseen: readonly number[]
  readonly covered: CoveredTables
  /** Where each table's snapshot is; what differs from the committed positions is to be written. */
  readonly snapshots: ReadonlyMap<string, CdcPosition>
  /** Rows of the tables from before are to be forgotten: changes were lost. */
  readonly isResnapshot: boolean
}

/** Names that an option may leave out: letters, digits and underscores are all that a slot's name may have. */
export function defaultSlotName(name: string): string {
  return `millrace_${name.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`.slice(0, 63)
}

/** Opens a source: connects, checks, makes what is missing, and finds where to begin. */
export class CdcSession {
  readonly #parts: CdcSessionParts
  readonly #connections: CdcConnections
  readonly #slot: string
  readonly #publication: string

  static async open(parts: CdcSessionParts): Promise<SourceReader<CdcPosition>> {
    const lost: { report: (error: Error) => void } = { report: () => undefined }
    const connections = await connectAll(parts.options, (error) => lost.report(error))
    try {
      const session = new CdcSession(parts, connections)
      const start = await session.#prepare()
      const assembly = new ReaderAssembly(parts, connections, start)
      lost.report = (error) => assembly.connectionLost(error)
      return await assembly.open()
    } catch (error) {
      const { client, replication, snapshot } = connections
      await Promise.allSettled([client.end(), replication.end(), snapshot.end()])
      throw error
    }
  }

  private constructor(parts: CdcSessionParts, connections: CdcConnections) {
    this.#parts = parts
    this.#connections = connections
    this.#slot = parts.options.slot ?? defaultSlotName(parts.options.name)
    this.#publication = parts.options.publication ?? defaultSlotName(parts.options.name)
    if (!/^[a-z0-9_]{1,63}$/.test(this.#slot)) {
      throw new UsageError(
        `slot ${this.#slot} of source ${parts.options.name}: a slot's name has lower-case letters, digits and underscores`
      )
    }
  }

  async #prepare(): Promise<CdcStart> {
    const { client, replication } = this.#connections
    let slot = await readSlot(client, this.#slot)
    await checkServer(this.#preflight(slot))
    const server = await identifySystem(replication, client)
    const position = this.#position(server, slot)
    const isResnapshot = position === 'lost'
    if (isResnapshot) {
      await dropSlot(client, this.#slot)
      slot = undefined
    }
    const publication = publicationParts(this.#parts, { client, serverVersion: server.version, hasSlot: !!slot })
    const covered = await ensurePublication(publication)
    await checkTables(this.#preflight(slot), covered.tables.filter(this.#isCaptured))
    const stored = position === 'lost' ? undefined : position
    const begin = stored ? undefined : await this.#begin(slot)
    return {
      server,
      lsn: stored ? parseLsn(stored.lsn) : (begin?.lsn ?? 0),
      open: stored?.open,
      unseen: stored?.unseen ?? [],
      covered,
      snapshots: this.#snapshots(covered, begin?.visible, isResnapshot),
      isResnapshot
    }
  }

  readonly #isCaptured = (table: { readonly schema: string; readonly table: string }) =>
    this.#parts.filter.matches(qualifiedName(table))

  /** The committed position, if the slot goes on from there; `lost` when it does not and that is to be mended. */
  #position(server: ServerIdentity, slot: SlotState | undefined): StreamPosition | 'lost' | undefined {
    const { positions, options, context } = this.#parts
    const position = positions.get(STREAM_SPLIT)
    try {
      if (position?.kind !== 'stream') {
        if (slot) checkUsable(this.#slot, slot.confirmed, slot)
        return undefined
      }
      if (position.slot !== this.#slot) {
        const found = `it was reached with slot ${position.slot}`
        throw new PostgresSlotLostError(this.#slot, 'missing', { position: parseLsn(position.lsn), found })
      }
      checkSlot(position, server, slot)
      checkTimeline(server, position.timeline, context.report)
      return position
    } catch (error) {
      if (!(error instanceof PostgresSlotLostError) || options.onLostSlot !== 'resnapshot') throw error
      context.report({ level: 'warning', code: 'resnapshot', message: `${error.message}. All tables are read again` })
      return 'lost'
    }
  }

  /** The beginning of a slot that nothing was read from yet. */
  async #begin(slot: SlotState | undefined): Promise<{ readonly lsn: Lsn; readonly visible: string | undefined }> {
    if (slot) return { lsn: slot.confirmed, visible: undefined }
    const { client, replication } = this.#connections
    const created = await createSlot(replication, this.#slot)
    return { lsn: created.start, visible: await visibilityOf(client, created.snapshot) }
  }

  /** @param visible what was visible when the slot was made, which the stream does not deliver. */
  #snapshots(
    covered: CoveredTables,
    visible: string | undefined,
    isResnapshot: boolean
  ): ReadonlyMap<string, CdcPosition> {
    const { positions, options } = this.#parts
    const snapshots = new Map<string, CdcPosition>()
    for (const table of covered.tables.filter(this.#isCaptured)) {
      const name = qualifiedName(table)
      const stored = positions.get(snapshotSplit(name))
      const isKnown = stored !== undefined && !isResnapshot && options.snapshot !== 'always'
      const isNew = covered.added.includes(name) || (positions.size > 0 && stored === undefined)
      if (isKnown) snapshots.set(name, stored)
      else if (options.snapshot === 'never') snapshots.set(name, newSnapshot({ state: 'done' }))
      else {
        const barrier = isNew ? { barrier: covered.barrier } : {}
        const seen = visible ?? `${covered.barrier}:${covered.barrier}:`
        const pages = table.key.length === 0 ? { pages: { leaf: 0, next: 0, visible: seen } } : {}
        snapshots.set(name, newSnapshot({ ...barrier, ...pages }))
      }
    }
    return snapshots
  }

  #preflight(slot: SlotState | undefined): PreflightParts {
    const { options, context } = this.#parts
    return {
      client: this.#connections.client,
      source: options.name,
      slotName: this.#slot,
      publication: this.#publication,
      slot,
      report: context.report
    }
  }
}

/** What the publication of a source is to hold. */
export function publicationParts(
  { options, filter }: Pick<CdcSessionParts, 'options' | 'filter'>,
  state: { readonly client: PostgresClient; readonly serverVersion: number; readonly hasSlot: boolean }
): PublicationParts {
  const extra = [options.signalTable, options.outbox?.table].filter((table) => table !== undefined)
  return {
    ...state,
    source: options.name,
    publication: options.publication ?? defaultSlotName(options.name),
    filter,
    extra,
    manage: options.managePublication ?? true
  }
}

async function connectAll(options: PostgresCdcOptions, onError: (error: Error) => void): Promise<CdcConnections> {
  const open: CdcClient[] = []
  const connect = async (replication: boolean) => {
    const { driver, connection, name } = options
    const client = await connectPostgres(driver, connection, { name: `millrace ${name}`, replication, onError })
    open.push(client)
    return client
  }
  try {
    return {
      client: serialClient(await connect(false)),
      replication: await connect(true),
      snapshot: await connect(false)
    }
  } catch (error) {
    await Promise.allSettled(open.map((client) => client.end()))
    throw error
  }
}

/** Random bytes that tell this reading from others. */
export function sessionId(environment: Environment): string {
  return environment.random.bytes(8).toString('hex')
}
