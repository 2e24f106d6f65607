import type { SourceReader } from '../../source.ts'
import type { PostgresClient } from '../driver.ts'
import { type CdcClient, connectPostgres, serialClient } from './connection.ts'
import { PostgresSlotLostError, toSourceError } from './errors.ts'
import { type CdcPosition, newSnapshot, STREAM_SPLIT, type StreamPosition, snapshotSplit } from './position.ts'
import { checkServer, checkTables, checkTimeline, type PreflightParts } from './preflight.ts'
import { type CoveredTables, ensurePublication, publicationState } from './publication.ts'
import { ReaderAssembly } from './reader-assembly.ts'
import { type Lsn, parseLsn } from './replication/lsn.ts'
import {
  type CdcConnections,
  type CdcSessionParts,
  type CdcStart,
  publicationNameOf,
  publicationParts,
  slotNameOf
} from './session-parts.ts'
import {
  checkMemberships,
  checkPublication,
  checkSlot,
  checkUsable,
  createSlot,
  dropSlot,
  identifySystem,
  keepOnStandbys,
  readSlot,
  type ServerIdentity,
  type SlotState,
  visibilityOf
} from './slot.ts'
import { specialProblems } from './special-tables.ts'
import { qualifiedName } from './tables/table-shape.ts'

/** Opens a source: connects, checks, makes what is missing, and finds where to begin. */
export class CdcSession {
  readonly #parts: CdcSessionParts
  readonly #connections: CdcConnections
  readonly #slot: string

  static async open(parts: CdcSessionParts): Promise<SourceReader<CdcPosition>> {
    const lost: { report: (error: Error) => void } = { report: () => undefined }
    const connections = await connectAll(parts, (error) => lost.report(error))
    try {
      const session = new CdcSession(parts, connections)
      const start = await session.#prepare()
      const assembly = new ReaderAssembly(parts, connections, start)
      lost.report = (error) => assembly.connectionLost(error)
      return await assembly.open()
    } catch (error) {
      const { client, replication, snapshot } = connections
      await Promise.allSettled([client.end(), replication.end(), snapshot.end()])
      throw toSourceError(error, `cannot open source ${parts.options.name}`)
    }
  }

  private constructor(parts: CdcSessionParts, connections: CdcConnections) {
    this.#parts = parts
    this.#connections = connections
    this.#slot = slotNameOf(parts.options)
  }

  async #prepare(): Promise<CdcStart> {
    const { client, replication } = this.#connections
    let slot = await readSlot(client, this.#slot)
    const server = await identifySystem(replication, client)
    const publicationNow = (await publicationState(client, publicationNameOf(this.#parts.options)))?.id
    let position = this.#position(server, slot, publicationNow)
    if (position === 'lost') slot = await this.#dropSlot()
    const publication = publicationParts(this.#parts, {
      client,
      serverVersion: server.version,
      existingSlot: slot && this.#slot,
      withoutIdentity: 'refuse'
    })
    const covered = await ensurePublication(publication)
    const others = specialProblems(this.#parts.options, covered.tables)
    await checkTables(preflightParts(this.#parts, client, slot), covered.tables.filter(this.#isCaptured), others)
    this.#warnOfNothing(covered)
    if (position && position !== 'lost') {
      position = this.#unlessTablesLeft(position, covered)
      if (position === 'lost') slot = await this.#dropSlot()
    }
    if (slot && !slot.failover && this.#parts.options.failoverSlot) await keepOnStandbys(replication, this.#slot)
    const isResnapshot = position === 'lost'
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

  #warnOfNothing({ tables }: CoveredTables): void {
    const { filter, context } = this.#parts
    const nowhere = filter.unmatched(tables.map(qualifiedName))
    if (nowhere.length === 0) return
    context.report({
      level: 'warning',
      code: 'no-such-table',
      message:
        `no table is there yet for ${nowhere.join(', ')} (views, unlogged and temporary tables have no changes to capture): tables that come ` +
        `later are captured from then on`
    })
  }

  async #dropSlot(): Promise<undefined> {
    await dropSlot(this.#connections.client, this.#slot)
  }

  #unlessTablesLeft(position: StreamPosition, covered: CoveredTables): StreamPosition | 'lost' {
    const before = new Map<string, string>()
    for (const table of covered.tables) {
      const name = qualifiedName(table)
      const stored = this.#parts.positions.get(snapshotSplit(name))
      if (stored?.kind === 'snapshot' && stored.membership) before.set(name, stored.membership)
    }
    return this.#unlessLost(() => {
      checkMemberships(position, before, covered.tables)
      return position
    })
  }

  /** The committed position, if the slot goes on from there; `lost` when it does not and that is to be mended. */
  #position(
    server: ServerIdentity,
    slot: SlotState | undefined,
    publication: number | undefined
  ): StreamPosition | 'lost' | undefined {
    const { positions, context } = this.#parts
    const position = positions.get(STREAM_SPLIT)
    return this.#unlessLost(() => {
      if (position?.kind !== 'stream') {
        if (slot) checkUsable(this.#slot, slot.confirmed, slot)
        return undefined
      }
      if (position.slot !== this.#slot) {
        const found = `it was reached with slot ${position.slot}`
        throw new PostgresSlotLostError(this.#slot, 'missing', { position: parseLsn(position.lsn), found })
      }
      checkSlot(position, server, slot)
      checkPublication(position, publication)
      checkTimeline(server, position.timeline, context.report)
      return position
    })
  }

  /** What was found, or `lost` when changes are and that is to be mended. */
  #unlessLost<T>(find: () => T): T | 'lost' {
    const { options, context } = this.#parts
    try {
      return find()
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
    const created = await createSlot(replication, this.#slot, { failover: this.#parts.options.failoverSlot ?? false })
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
      const { membership } = table
      if (isKnown) snapshots.set(name, withMembership(stored, membership))
      else if (options.snapshot === 'never') snapshots.set(name, newSnapshot({ state: 'done', membership }))
      else {
        const barrier = isNew ? { barrier: covered.barrier } : {}
        const seen = visible ?? `${covered.barrier}:${covered.barrier}:`
        const pages = table.key.length === 0 ? { pages: { leaf: 0, next: 0, visible: seen } } : {}
        snapshots.set(name, newSnapshot({ ...barrier, ...pages, membership }))
      }
    }
    return snapshots
  }
}

/** The position itself if it says so already, so that it is not written again. */
function withMembership(position: CdcPosition, membership: string): CdcPosition {
  return position.kind === 'stream' || position.membership === membership ? position : { ...position, membership }
}

function preflightParts(parts: CdcSessionParts, client: PostgresClient, slot: SlotState | undefined): PreflightParts {
  const { options, context } = parts
  return {
    client,
    source: options.name,
    slotName: slotNameOf(options),
    publication: publicationNameOf(options),
    slot,
    failoverSlot: options.failoverSlot ?? false,
    report: context.report
  }
}

/** Connects, and checks the server as soon as it can be asked: it may refuse the second connection for what the check can name. */
async function connectAll(parts: CdcSessionParts, onError: (error: Error) => void): Promise<CdcConnections> {
  const { driver, connection, name } = parts.options
  const open: CdcClient[] = []
  const connect = async (replication: boolean) => {
    const client = await connectPostgres(driver, connection, { name: `millrace ${name}`, replication, onError })
    open.push(client)
    return client
  }
  try {
    const client = serialClient(await connect(false))
    const slot = await readSlot(client, slotNameOf(parts.options))
    await checkServer(preflightParts(parts, client, slot))
    return { client, replication: await connect(true), snapshot: await connect(false) }
  } catch (error) {
    await Promise.allSettled(open.map((client) => client.end()))
    throw toSourceError(error, `cannot prepare source ${name}`)
  }
}
