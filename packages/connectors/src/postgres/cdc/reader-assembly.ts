import type { SourceReader } from '../../source.ts'
import { BatchBuilder } from './batch-builder.ts'
import { CdcReader } from './cdc-reader.ts'
import { ChangeWriter } from './change-writer.ts'
import { type ChangeOrigin, EnvelopeWriter } from './envelope.ts'
import { outboxRecord } from './outbox.ts'
import type { Tuple } from './pgoutput/message.ts'
import { type CdcPosition, newSnapshot, type SnapshotPosition, snapshotSplit } from './position.ts'
import type { CoveredTables } from './publication.ts'
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
import { applySignal, parseSignal } from './signals.ts'
import { checkPublication, type SlotState } from './slot.ts'
import { RecentChanges } from './snapshot/recent-changes.ts'
import { Snapshotter } from './snapshot/snapshotter.ts'
import { StreamedTransactions } from './streamed-transactions.ts'
import { Supervision } from './supervision.ts'
import { OutOfLineMemory } from './tables/out-of-line-memory.ts'
import { type Relation, Relations, type TableRole } from './tables/relations.ts'
import { TableEncoder, textOf } from './tables/table-encoder.ts'
import { qualifiedName, readTables } from './tables/table-shape.ts'
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
  warnRetainedBytes: 10 * 1024 * MIB
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
  /** What is to be done between two transactions. */
  readonly #chores: (() => Promise<void>)[] = []
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
    this.#beginSnapshots(snapshotter)
    const streamed = this.#streamedTransactions()
    const decoder = this.#decoder(snapshotter, streamed)
    const supervision = this.#supervise(snapshotter, { stream, decoder, streamed })
    const { options, context } = this.#parts
    const add = this.#batch.add.bind(this.#batch)
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
      heartbeat: this.#heartbeat(),
      chores: () => this.#nextChore(snapshotter),
      snapshotFinished: (table, rows) =>
        context.report({ level: 'info', code: 'snapshot-finished', message: `${table} was read: ${rows} rows` }),
      close: async () => {
        await supervision.close()
        await Promise.all([snapshotter.close(), stream.close()])
        streamed.close()
        await this.#connections.client.end().catch(() => undefined)
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

  #beginSnapshots(snapshotter: Snapshotter): void {
    const { positions } = this.#parts
    for (const [table, position] of this.#start.snapshots) {
      const split = snapshotSplit(table)
      if (positions.get(split) !== position) this.#batch.position(split, position)
      if (position.kind !== 'snapshot' || position.state === 'done') continue
      if (!this.#recent.isRecording) this.#recent.record(this.#start.unseen)
      snapshotter.add(table, position)
    }
  }

  #decoder(snapshotter: Snapshotter, streamed: StreamedTransactions): TransactionDecoder {
    const { options, context } = this.#parts
    const add = this.#batch.add.bind(this.#batch)
    const relations = new Relations({
      client: this.#connections.client,
      types: this.#types,
      memory: this.#memory,
      roleOf: (name) => this.#roleOf(name),
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
      special: (relation: Relation, row: Tuple, origin: ChangeOrigin) => this.#special(relation, row, origin),
      transaction: (xid: number) => this.#recent.transaction(xid)
    }
    return new TransactionDecoder(parts, {
      lsn,
      ...(open ? { open: { commit: parseLsn(open.commit), changes: open.changes } } : {})
    })
  }

  #roleOf(name: string): TableRole {
    const { options, filter } = this.#parts
    if (name === options.signalTable) return 'signal'
    if (name === options.outbox?.table) return 'outbox'
    return filter.matches(name) ? 'capture' : 'ignore'
  }

  #special(relation: Relation, row: Tuple, origin: ChangeOrigin): void {
    const { options, context, signals } = this.#parts
    if (relation.role === 'outbox' && options.outbox) {
      this.#batch.add(outboxRecord(options.outbox, { table: relation.encoder, row }, origin))
      return
    }
    const columns = relation.encoder.shape.columns
    const value = (name: string) =>
      textOf(
        row,
        columns.findIndex((column) => column.name === name)
      )
    const signal = parseSignal(value('type'), value('data'))
    if (typeof signal !== 'string') signals.push(signal)
    else context.report({ level: 'warning', code: 'signal-refused', message: signal })
  }

  #streamedTransactions(): StreamedTransactions {
    const { options, context } = this.#parts
    return new StreamedTransactions({
      files: context.environment.files,
      directory: options.spillDirectory ?? process.env.TMPDIR ?? process.env.TEMP ?? '/tmp',
      prefix: `${slotNameOf(options)}-transaction-`,
      memoryBytes: options.spillAboveBytes ?? DEFAULTS.spillAboveBytes
    })
  }

  #supervise(
    snapshotter: Snapshotter,
    running: { stream: ReplicationStream; decoder: TransactionDecoder; streamed: StreamedTransactions }
  ): Supervision {
    const { options, context } = this.#parts
    const { stream, decoder, streamed } = running
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
        hasSlot: true
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
        this.#chores.push(async () => this.#addNewTables(snapshotter, tables))
        stream.wake()
      }
    })
  }

  readonly #known = new Set<string>()

  /** Tables that were created, or published, since the source was opened. */
  #addNewTables(snapshotter: Snapshotter, covered: CoveredTables): void {
    const { filter, options, context } = this.#parts
    for (const table of covered.tables) {
      const name = qualifiedName(table)
      if (!filter.matches(name) || this.#start.snapshots.has(name) || this.#known.has(name)) continue
      this.#known.add(name)
      const visible = `${covered.barrier}:${covered.barrier}:`
      const pages = table.key.length === 0 ? { pages: { leaf: 0, next: 0, visible } } : {}
      const position: SnapshotPosition =
        options.snapshot === 'never'
          ? newSnapshot({ state: 'done' })
          : newSnapshot({ barrier: covered.barrier, ...pages })
      this.#batch.position(snapshotSplit(name), position)
      context.report({ level: 'info', code: 'table-added', message: `${name} is captured from now on` })
      snapshotter.add(name, position)
    }
  }

  #nextChore(snapshotter: Snapshotter): Promise<void> | undefined {
    const chore = this.#chores.shift()
    if (chore) return chore()
    const signal = this.#parts.signals.shift()
    return signal ? this.#signal(snapshotter, signal) : undefined
  }

  async #signal(snapshotter: Snapshotter, signal: Parameters<typeof applySignal>[0]): Promise<void> {
    const { context, filter } = this.#parts
    const keyedTables = async () => {
      const { options } = this.#parts
      const publication = publicationNameOf(options)
      const tables = await readTables(this.#connections.client, publication, this.#start.server.version)
      return tables.filter((table) => table.key.length > 0 && filter.matches(qualifiedName(table))).map(qualifiedName)
    }
    const changed = await applySignal(signal, { snapshotter, keyedTables, report: context.report })
    for (const name of changed) {
      const task = snapshotter.unfinished.find((one) => one.table === name)
      this.#batch.position(snapshotSplit(name), task?.position ?? newSnapshot({ state: 'done' }))
    }
    if (snapshotter.unfinished.length === 0) this.#recent.stop()
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
      if (this.#roleOf(encoder.name) !== 'capture') continue
      await this.#memory.open(encoder.name)
      await this.#memory.forgetTable(encoder.name)
      if (options.truncates === false) continue
      this.#batch.add(this.#envelope.record(encoder, { operation: 't', lsn: this.#start.lsn }, { key: null, origin }))
    }
  }

  #heartbeat(): { readonly intervalMs: number; readonly emit: (nowMs: number) => void } | undefined {
    const { name, heartbeatIntervalMs: intervalMs } = this.#parts.options
    if (intervalMs === undefined) return undefined
    const key = Buffer.from(JSON.stringify({ serverName: name }))
    return {
      intervalMs,
      emit: (nowMs) =>
        this.#batch.add({
          topic: `__debezium-heartbeat.${name}`,
          key,
          value: Buffer.from(JSON.stringify({ ts_ms: nowMs })),
          timestamp: nowMs
        })
    }
  }
}
