import type { Environment, Timer } from '@millrace/log'
import type { Positions, SourceBatch, SourceReader } from '../../source.ts'
import type { BatchBuilder } from './batch-builder.ts'
import type { Heartbeat } from './heartbeat.ts'
import { type CdcPosition, STREAM_SPLIT, type StreamIdentity, type StreamPosition, snapshotSplit } from './position.ts'
import { formatLsn, type Lsn, parseLsn } from './replication/lsn.ts'
import type { ReplicationStream } from './replication/replication-stream.ts'
import { type ChunkWriterParts, writeChunk } from './snapshot/chunk-writer.ts'
import type { Snapshotter } from './snapshot/snapshotter.ts'
import type { TransactionDecoder } from './transaction-decoder.ts'

/** What a reader is put together from. */
export interface CdcReaderParts {
  readonly environment: Environment
  readonly signal: AbortSignal
  readonly identity: StreamIdentity
  readonly stream: ReplicationStream
  readonly decoder: TransactionDecoder
  readonly snapshotter: Snapshotter
  readonly batch: BatchBuilder
  readonly chunks: ChunkWriterParts
  readonly idlePositionMs: number
  readonly heartbeat: Heartbeat | undefined
  /** Does what came from outside: signals, new tables. Undefined when there is nothing. */
  readonly chores: () => Promise<void> | undefined
  readonly snapshotFinished: (table: string, rows: number) => void
  readonly close: () => Promise<void>
}

/**
 * Reads the stream, transaction by transaction, and between them the chunks of snapshots whose mark it has passed. A batch ends at the end of a
 * transaction, unless the transaction is larger than a batch; then its position says how many of its changes are in the log.
 */
export class CdcReader implements SourceReader<CdcPosition> {
  readonly #parts: CdcReaderParts
  #returned: Lsn
  #returnedAtMs: number
  #heartbeatAtMs: number

  constructor(parts: CdcReaderParts) {
    this.#parts = parts
    this.#returned = parts.decoder.position.lsn
    this.#returnedAtMs = parts.environment.clock.monotonicMs()
    this.#heartbeatAtMs = this.#returnedAtMs
    parts.signal.addEventListener('abort', () => parts.stream.wake(), { once: true })
  }

  async read(): Promise<SourceBatch<CdcPosition>> {
    const { batch, decoder, signal, snapshotter } = this.#parts
    while (!signal.aborted) {
      snapshotter.check()
      const chores = decoder.isBetweenTransactions ? this.#parts.chores() : undefined
      if (chores) await chores
      const step = this.#step()
      if (step === 'idle') {
        if (this.#isDue()) break
        await this.#wait()
      } else if (step !== 'done') await step
      if (decoder.isBetweenTransactions) this.#writeChunks()
      if (batch.isFull) break
    }
    return this.#take()
  }

  async committed(positions: Positions<CdcPosition>): Promise<void> {
    const position = positions.get(STREAM_SPLIT)
    if (position?.kind === 'stream') this.#parts.stream.acknowledge(parseLsn(position.lsn))
  }

  lag(): number {
    return Math.max(0, this.#parts.stream.serverEnd - this.#parts.decoder.position.lsn)
  }

  close(): Promise<void> {
    return this.#parts.close()
  }

  /** Takes one message, or one step of a large transaction. */
  #step(): Promise<void> | 'done' | 'idle' {
    const { decoder, stream } = this.#parts
    const replayed = decoder.replay()
    if (replayed !== false) return replayed === true ? 'done' : replayed
    const message = stream.take()
    if (!message) return 'idle'
    if (message.bytes.length === 0) {
      decoder.advance(message.lsn)
      return 'done'
    }
    return decoder.handle(message) ?? 'done'
  }

  #writeChunks(): void {
    const { decoder, snapshotter, chunks, batch } = this.#parts
    for (const { table, position } of snapshotter.takeEnded()) {
      batch.position(snapshotSplit(table), position)
      if (snapshotter.unfinished.length === 0) chunks.recent.stop()
    }
    for (const watermark of decoder.takeWatermarks()) {
      const chunk = snapshotter.passed(watermark)
      if (!chunk) continue
      const { task, after } = chunk
      writeChunk(chunk, decoder.position.lsn, chunks)
      task.position = after
      batch.position(snapshotSplit(task.table), after)
      chunks.recent.prune(chunk.visibility)
      if (after.state !== 'done') continue
      this.#parts.snapshotFinished(task.table, after.rows)
      if (snapshotter.unfinished.length === 0) chunks.recent.stop()
    }
  }

  /** Whether what was read is to be given away although nothing more is there. */
  #isDue(): boolean {
    const { batch, decoder, environment, heartbeat, idlePositionMs } = this.#parts
    if (!decoder.isBetweenTransactions) return false
    const nowMs = environment.clock.monotonicMs()
    if (heartbeat && nowMs - this.#heartbeatAtMs >= heartbeat.intervalMs) {
      this.#heartbeatAtMs = nowMs
      heartbeat.emit(environment.clock.nowMs())
    }
    if (!batch.isEmpty) return true
    return decoder.position.lsn > this.#returned && nowMs - this.#returnedAtMs >= idlePositionMs
  }

  async #wait(): Promise<void> {
    const { environment, heartbeat, idlePositionMs, stream } = this.#parts
    const delayMs = Math.min(idlePositionMs, heartbeat?.intervalMs ?? idlePositionMs)
    const timer: Timer = environment.timers.set(delayMs, () => stream.wake(), { background: true })
    await stream.arrival()
    timer.cancel()
  }

  #take(): SourceBatch<CdcPosition> {
    const { batch, decoder } = this.#parts
    const position = this.#position()
    if (!batch.isEmpty || decoder.position.lsn > this.#returned) batch.position(STREAM_SPLIT, position)
    this.#returned = decoder.position.lsn
    this.#returnedAtMs = this.#parts.environment.clock.monotonicMs()
    return batch.take()
  }

  #position(): StreamPosition {
    const { decoder, identity, chunks } = this.#parts
    const { lsn, open } = decoder.position
    const { unseen } = chunks.recent
    return {
      kind: 'stream',
      ...identity,
      lsn: formatLsn(lsn),
      ...(open ? { open: { commit: formatLsn(open.commit), changes: open.changes } } : {}),
      ...(unseen.length > 0 ? { unseen } : {})
    }
  }
}
