import type { Observable } from 'rxjs'
import type { Source } from '../../source.ts'
import type { PostgresConnection } from '../driver.ts'
import type { PostgresCdcDriver } from './connection.ts'
import type { OutboxOptions } from './outbox.ts'
import type { CdcPosition } from './position.ts'
import type { CdcSignal } from './signals.ts'

/** How a PostgreSQL database's changes are captured. */
export interface PostgresCdcOptions {
  /** The npm module `pg`. */
  readonly driver: PostgresCdcDriver
  /** `postgres://user:password@host:port/database`, or `pg`'s settings. The user needs REPLICATION and SELECT on the tables. */
  readonly connection: PostgresConnection
  /** Name of the source and prefix of its topics: `<name>.<schema>.<table>`. */
  readonly name: string
  /** Tables: `orders` (schema public), `sales.*`, or expressions for `schema.table`. */
  readonly tables: readonly (string | RegExp)[]
  /** Replication slot; `millrace_<name>` by default. Each source needs its own. */
  readonly slot?: string
  /**
   * Whether standbys keep the slot too, so that reading goes on after a failover (PostgreSQL 17 or newer, with `sync_replication_slots` on the standby
   * and `synchronized_standby_slots` on the primary). Default false.
   */
  readonly failoverSlot?: boolean
  /** Publication; `millrace_<name>` by default. */
  readonly publication?: string
  /** Whether the publication is made, and tables are added to it, as needed (default), or must be there. */
  readonly managePublication?: boolean
  /** Whether tables are read at the first start (`initial`, default), at every start, or never. */
  readonly snapshot?: 'initial' | 'always' | 'never'
  /** What to do when changes were lost with the slot: stop (default), or read all tables again behind a truncate of each. */
  readonly onLostSlot?: 'fail' | 'resnapshot'
  /** Whether the server may send large transactions before their commit (default true): they wait here, in memory and then in files. */
  readonly streamLargeTransactions?: boolean
  /** Where those files are; the system's directory for temporary files by default. */
  readonly spillDirectory?: string
  /** Bytes of unfinished transactions in memory; 32 MiB by default. */
  readonly spillAboveBytes?: number
  /** A record with null value behind each delete (default true). */
  readonly tombstones?: boolean
  /** A record with op `t` for each truncate (default true; Debezium leaves them out unless told). */
  readonly truncates?: boolean
  /** Records with op `m` for messages of `pg_logical_emit_message`, to `<name>.message` (default true). */
  readonly messages?: boolean
  /** Begin and end of transactions, to `<name>.transaction`, and each change's place in its own (default false). */
  readonly transactionMetadata?: boolean
  /** A record to `__debezium-heartbeat.<name>` this often; none by default (an idle table does not need it). */
  readonly heartbeatIntervalMs?: number
  /** Debezium's signal table, `schema.table`, with columns `id`, `type` and `data`. */
  readonly signalTable?: string
  /** A table of events that are to be records of their own. */
  readonly outbox?: OutboxOptions
  /** Most records of a batch; 5,000 by default. A larger transaction takes several. */
  readonly batchRecords?: number
  /** Most rows that are read at once; 10,000 by default. */
  readonly chunkRows?: number
  /** Most bytes that are read at once, roughly; 4 MiB by default. */
  readonly chunkBytes?: number
  /** How often an idle source writes how far it is, so that the server can forget its log; 10 s by default. */
  readonly idlePositionMs?: number
  /** How often the slot's state and new tables are looked for; 10 s by default. */
  readonly checkIntervalMs?: number
  /** Warn when the server keeps more log than this for the slot; 10 GiB by default. */
  readonly warnRetainedBytes?: number
}

/** How far a source is. */
export interface CdcProgress {
  /** All transactions that ended before this are read. */
  readonly lsn: string
  /** Bytes of the server's log that are not read yet. */
  readonly lagBytes: number
  /** Bytes of log that the server keeps for the slot; undefined until it was asked. */
  readonly retainedBytes: number | undefined
  /** Bytes that may be written before the slot is lost; undefined without a limit. */
  readonly safeBytes: number | undefined
  /** The slot's `wal_status`. */
  readonly walStatus: string | undefined
  /** Bytes of unfinished transactions in memory. */
  readonly streamedBytes: number
  /** Tables whose snapshot is not finished, and rows of it in the log. */
  readonly snapshots: readonly { readonly table: string; readonly rows: number }[]
}

/** A source of a PostgreSQL database's changes. */
export interface PostgresCdcSource extends Source<CdcPosition> {
  /** How far it is, whenever that is looked at (`checkIntervalMs`); the last known at once. */
  readonly progress$: Observable<CdcProgress>
  /** Does what the signal says as soon as the source runs. */
  signal(signal: CdcSignal): void
}
