import type { SourceReader } from '../../source.ts'
import { BatchBuilder } from './batch-builder.ts'
import { CdcReader } from './cdc-reader.ts'
import { ChangeWriter } from './change-writer.ts'
import { beforeLong, endConnection } from './connection.ts'
import { EnvelopeWriter } from './envelope.ts'
import { heartbeatOf } from './heartbeat.ts'
import type { CdcPosition } from './position.ts'
import { formatLsn, parseLsn } from './replication/lsn.ts'
import { ReplicationStream } from './replication/replication-stream.ts'
import {
  type CdcConnections,
  type CdcSessionParts,
  type CdcStart,
  publicationNameOf,
  publicationParts,
  sessionId,
  slotNameOf
} from './session-parts.ts'
import { checkPublication, type SlotState } from './slot.ts'
import { RecentChanges } from './snapshot/recent-changes.ts'
import { Snapshotter } from './snapshot/snapshotter.ts'
import { SnapshotControl } from './snapshot-control.ts'
import { roleOf, specialRows, specialUpdates } from './special-tables.ts'
import { StreamedTransactions } from './streamed-transactions.ts'
import { Supervision } from './supervision.ts'
import { OutOfLineMemory } from './tables/out-of-line-memory.ts'
import { Relations } from './tables/relations.ts'
import { TableEncoder } from './tables/table-encoder.ts'
import { TransactionDecoder } from './transaction-decoder.ts'
import { TransactionMetadata } from './transaction-metadata.ts'
import { TypeCatalog } from './types/type-catalog.ts'

const MIB = 1024 * 1024
const DEFAULTS = {
  batchRecords: 5000,
  batchBytes: 8 * MIB,
  chunkRows: 10_000,
  chunkBytes: 4 * MIB,
  spillAboveBytes: 32 * MIB,
  idlePositionMs: 10_000,
  checkIntervalMs: 10_000,
  statusIntervalMs: 10_000,
  silenceMs: 120_000,
  warnRetainedBytes: 10 * 1024 * MIB
}

/** What runs of a source, and is watched. */
interface RunningParts {
  readonly stream: ReplicationStream
  readonly snapshotter: Snapshotter
  readonly control: SnapshotControl
  readonly decoder: TransactionDecoder
  readonly streamed: StreamedTransactions
}

/** Puts the parts of a reader together and starts them. */
export class ReaderAssembly {
  readonly #parts: CdcSessionParts
  readonly #connections: CdcConnections
  readonly #start: CdcStart
  readonly #batch: BatchBuilder
  readonly #recent = new RecentChanges()
  readonly #memory: OutOfLineMemory
  readonly #types: TypeCatalog
  readonly #envelope: EnvelopeWriter
  #stream: ReplicationStream | undefined

  constructor(parts: CdcSessionParts, connections: CdcConnections, start: CdcStart) {
    const { options, context } = parts
    this.#parts = parts
    this.#connections = connections
    this.#start = start
    this.#batch = new BatchBuilder({
      records: options.batchRecords ?? DEFAULTS.batchRecords,
      bytes: DEFAULTS.batchBytes
    })
    this.#memory = new OutOfLineMemory(context.state)
    this.#types = new TypeCatalog(connections.client)
    this.#envelope = new EnvelopeWriter({
      prefix: options.name,
      database: start.server.database,
      nowMs: () => context.environment.clock.nowMs()
    })
  }

  connectionLost(error: Error): void {
    this.#stream?.connectionLost(error)
  }

  async open(): Promise<SourceReader<CdcPosition>> {
    const stream = await this.#startStream()
    const snapshotter = this.#snapshotter(stream)
    if (this.#start.isResnapshot) await this.#truncateAll()
    const streamed = this.#streamedTransactions()
    const decoder = this.#decoder(snapshotter, streamed)
    const control = this.#snapshotControl(snapshotter, decoder)
    control.begin()
    const supervision = this.#supervise({ stream, snapshotter, control, decoder, streamed })
    const { options, context } = this.#parts
    const add = this.#batch.add.bind(this.#batch)
    this.#parts.onSignal(() => stream.wake())
    return new CdcReader({
      environment: context.environment,
      signal: context.signal,
      identity: {
        slot: slotNameOf(options),
        systemId: this.#start.server.systemId,
        timeline: this.#start.server.timeline,
        database: this.#start.server.database,
        publication: this.#start.covered.id
      },
      stream,
      decoder,
      snapshotter,
      batch: this.#batch,
      chunks: { envelope: this.#envelope, memory: this.#memory, recent: this.#recent, add },
      idlePositionMs: options.idlePositionMs ?? DEFAULTS.idlePositionMs,
      heartbeat: heartbeatOf(options, add),
      chores: () => control.next(),
      snapshotFinished: (table, rows) =>
        context.report({ level: 'info', code: 'snapshot-finished', message: `${table} was read: ${rows} rows` }),
      close: async () => {
        const { timers } = context.environment
        const watched = supervision.close()
        await beforeLong(watched, timers)
        await Promise.all([snapshotter.close(), stream.close()])
        streamed.close()
        await endConnection(this.#connections.client, timers)
        await watched
      }
    })
  }

  async #startStream(): Promise<ReplicationStream> {
    const { options, context } = this.#parts
    const { rows } = await this.#connections.client.query({
      text: `select setting::int as timeout from pg_settings where name = 'wal_sender_timeout'`
    })
    const timeoutMs = Number(rows[0]?.timeout ?? 0)
    const stream = new ReplicationStream(this.#connections.replication, context.environment, {
      slot: slotNameOf(options),
      publication: publicationNameOf(options),
      startLsn: this.#start.lsn,
      streaming: options.streamLargeTransactions ?? true,
      silenceMs: timeoutMs > 0 ? timeoutMs * 2 : DEFAULTS.silenceMs,
      statusIntervalMs: timeoutMs > 0 ? Math.min(DEFAULTS.statusIntervalMs, timeoutMs / 3) : DEFAULTS.statusIntervalMs
    })
    this.#stream = stream
    await stream.start()
    return stream
  }

  #snapshotter(stream: ReplicationStream): Snapshotter {
    const { options, context } = this.#parts
    return new Snapshotter({
      client: this.#connections.snapshot,
      publication: publicationNameOf(options),
      serverVersion: this.#start.server.version,
      types: this.#types,
      recent: this.#recent,
      environment: context.environment,
      limits: { rows: options.chunkRows ?? DEFAULTS.chunkRows, bytes: options.chunkBytes ?? DEFAULTS.chunkBytes },
      session: sessionId(context.environment),
      report: context.report,
      wake: () => stream.wake()
    })
  }

  #snapshotControl(snapshotter: Snapshotter, decoder: TransactionDecoder): SnapshotControl {
    return new SnapshotControl({
      session: this.#parts,
      start: this.#start,
      client: this.#connections.client,
      snapshotter,
      batch: this.#batch,
      recent: this.#recent,
      reached: () => formatLsn(decoder.position.lsn)
    })
  }

  #decoder(snapshotter: Snapshotter, streamed: StreamedTransactions): TransactionDecoder {
    const { options, context } = this.#parts
    const add = this.#batch.add.bind(this.#batch)
    const relations = new Relations({
      client: this.#connections.client,
      types: this.#types,
      memory: this.#memory,
      roleOf: (name) => roleOf(this.#parts, name),
      report: context.report
    })
    const writer = new ChangeWriter({
      envelope: this.#envelope,
      memory: this.#memory,
      recent: this.#recent,
      add,
      tombstones: options.tombstones ?? true,
      isBeingRead: (table) => snapshotter.isBeingRead(table),
      report: context.report
    })
    const { lsn, open } = this.#start
    const parts = {
      relations,
      writer,
      envelope: this.#envelope,
      streamed,
      metadata: options.transactionMetadata ? new TransactionMetadata(options.name) : undefined,
      add,
      nowMs: () => context.environment.clock.nowMs(),
      emitTruncates: options.truncates ?? true,
      emitMessages: options.messages ?? true,
      special: specialRows(this.#parts, add),
      specialUpdate: specialUpdates(this.#parts),
      transaction: (xid: number) => this.#recent.transaction(xid)
    }
    return new TransactionDecoder(parts, {
      lsn,
      ...(open ? { open: { commit: parseLsn(open.commit), changes: open.changes } } : {})
    })
  }

  #streamedTransactions(): StreamedTransactions {
    const { options, context } = this.#parts
    return new StreamedTransactions({
      files: context.environment.files,
      directory: options.spillDirectory ?? process.env.TMPDIR ?? process.env.TEMP ?? '/tmp',
      // Sources of other servers may have slots of the same name.
      prefix: `${slotNameOf(options)}-${this.#start.server.systemId}-transaction-`,
      memoryBytes: options.spillAboveBytes ?? DEFAULTS.spillAboveBytes
    })
  }

  #supervise(running: RunningParts): Supervision {
    const { options, context } = this.#parts
    const { stream, snapshotter, control, decoder, streamed } = running
    const { client } = this.#connections
    const observed = (slot: SlotState | undefined) =>
      this.#parts.progress({
        lsn: formatLsn(decoder.position.lsn),
        lagBytes: Math.max(0, stream.serverEnd - decoder.position.lsn),
        retainedBytes: slot?.retainedBytes,
        safeBytes: slot?.safeBytes,
        walStatus: slot?.walStatus,
        streamedBytes: streamed.memoryBytes,
        snapshots: snapshotter.unfinished.map((task) => ({ table: task.table, rows: task.position.rows }))
      })
    return new Supervision({
      environment: context.environment,
      client,
      slot: slotNameOf(options),
      publication: publicationParts(this.#parts, {
        client,
        serverVersion: this.#start.server.version,
        existingSlot: slotNameOf(options),
        withoutIdentity: 'leave'
      }),
      intervalMs: options.checkIntervalMs ?? DEFAULTS.checkIntervalMs,
      warnRetainedBytes: options.warnRetainedBytes ?? DEFAULTS.warnRetainedBytes,
      checkPublication: (id) => {
        const lsn = formatLsn(decoder.position.lsn)
        checkPublication({ slot: slotNameOf(options), lsn, publication: this.#start.covered.id }, id)
      },
      lost: (error) => stream.connectionLost(error),
      report: context.report,
      observed,
      covered: (tables) => {
        control.covered(tables)
        stream.wake()
      }
    })
  }

  /** Tells those who keep the tables that what they have is to be forgotten. */
  async #truncateAll(): Promise<void> {
    const { context, options } = this.#parts
    const origin = {
      xid: null,
      commitMicros: context.environment.clock.nowMs() * 1000,
      lastCommitLsn: this.#start.lsn,
      snapshot: 'false' as const
    }
    for (const table of this.#start.covered.tables) {
      const encoder = new TableEncoder(table, this.#types)
      if (roleOf(this.#parts, encoder.name) !== 'capture') continue
      await this.#memory.open(encoder.name)
      await this.#memory.forgetTable(encoder.name)
      if (options.truncates === false) continue
      this.#batch.add(this.#envelope.record(encoder, { operation: 't', lsn: this.#start.lsn }, { key: null, origin }))
    }
  }
}
