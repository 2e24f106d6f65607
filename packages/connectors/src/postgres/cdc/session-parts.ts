import { type Environment, UsageError } from '@millrace/log'
import type { Positions, SourceContext } from '../../source.ts'
import type { PostgresClient } from '../driver.ts'
import type { CdcClient } from './connection.ts'
import type { CdcProgress, PostgresCdcOptions } from './options.ts'
import type { CdcPosition, StreamPosition } from './position.ts'
import type { CoveredTables, PublicationParts } from './publication.ts'
import type { Lsn } from './replication/lsn.ts'
import type { CdcSignal } from './signals.ts'
import type { ServerIdentity } from './slot.ts'
import type { TableFilter } from './tables/table-filter.ts'

/** What one opening of a source has to do with. */
export interface CdcSessionParts {
  readonly options: PostgresCdcOptions
  readonly filter: TableFilter
  readonly positions: Positions<CdcPosition>
  readonly context: SourceContext
  readonly signals: CdcSignal[]
  /** Calls this when a signal was added. */
  readonly onSignal: (wake: () => void) => void
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

/** The slot of a source. @throws UsageError when the server would refuse the name. */
export function slotNameOf(options: PostgresCdcOptions): string {
  const slot = options.slot ?? defaultName(options.name)
  if (/^[a-z0-9_]{1,63}$/.test(slot)) return slot
  throw new UsageError(
    `slot ${slot} of source ${options.name}: a slot's name has lower-case letters, digits and underscores, 63 at most`
  )
}

/** The publication of a source. */
export function publicationNameOf(options: PostgresCdcOptions): string {
  return options.publication ?? defaultName(options.name)
}

function defaultName(name: string): string {
  return `millrace_${name.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`.slice(0, 63)
}

/** What the publication of a source is to hold. */
export function publicationParts(
  { options, filter }: Pick<CdcSessionParts, 'options' | 'filter'>,
  state: Pick<PublicationParts, 'client' | 'serverVersion' | 'existingSlot' | 'withoutIdentity'>
): PublicationParts {
  const extra = [options.signalTable, options.outbox?.table].filter((table) => table !== undefined)
  return {
    ...state,
    source: options.name,
    publication: publicationNameOf(options),
    filter,
    extra,
    manage: options.managePublication ?? true
  }
}

/** Random bytes that tell this reading from others. */
export function sessionId(environment: Environment): string {
  return environment.random.bytes(8).toString('hex')
}
