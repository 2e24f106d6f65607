/** What the rules look at in a batch. */
export interface BatchFacts {
  readonly baseOffset: number
  readonly isControl: boolean
  readonly isTransactional: boolean
  readonly recordCount: number
  readonly deleteHorizonMs: number | undefined
  /** A data batch of a transaction that was aborted. */
  readonly isAborted: boolean
  /** It holds what is known of an active producer: its last sequence number or, without one, its last epoch. */
  readonly isLastOfProducer: boolean
  /** A marker with a data batch of its transaction before it, seen in this round. */
  readonly endsSeenData: boolean
}

/** Until where a round of compaction knows the last offset of each key, and when it began. */
export interface RoundBounds {
  readonly endOffset: number
  readonly nowMs: number
}

/** What becomes of a batch. */
export interface BatchFate {
  /** Which records stay: `newest` means those that {@link keepsRecord} keeps. */
  readonly records: 'all' | 'none' | 'newest'
  /** Whether the header stays when no record does. */
  readonly keepsHeader: boolean
  /** Whether it begins to wait for its delete horizon, if it does not wait already (KIP-534). */
  readonly beginsHorizon: 'no' | 'yes' | 'with tombstones'
}

const stays: BatchFate = { records: 'all', keepsHeader: true, beginsHorizon: 'no' }
const waits: BatchFate = { records: 'all', keepsHeader: true, beginsHorizon: 'yes' }
const goes: BatchFate = { records: 'none', keepsHeader: false, beginsHorizon: 'no' }
const emptied: BatchFate = { records: 'none', keepsHeader: true, beginsHorizon: 'no' }
const filtered: BatchFate = { records: 'newest', keepsHeader: false, beginsHorizon: 'with tombstones' }
const filteredNotGone: BatchFate = { records: 'newest', keepsHeader: true, beginsHorizon: 'with tombstones' }

/**
 * What a round of compaction does with a batch:
 * - Beyond the round's end everything stays.
 * - A transaction's marker stays while data of the transaction is left, or while it is the last of an active producer. Then it waits for
 *   `delete.retention.ms`, so that readers within the transaction still meet it, and goes.
 * - Aborted data goes; other data stays by key. The header of an active producer's last batch stays in any case, for its sequence number.
 */
export function batchFate(batch: BatchFacts, round: RoundBounds): BatchFate {
  if (batch.baseOffset >= round.endOffset) return stays
  if (batch.isControl) return markerFate(batch, round)
  if (batch.isAborted || batch.recordCount === 0) return batch.isLastOfProducer ? emptied : goes
  return batch.isLastOfProducer ? filteredNotGone : filtered
}

function markerFate(batch: BatchFacts, round: RoundBounds): BatchFate {
  if (!batch.isTransactional) return stays
  if (batch.recordCount === 0) return goes
  if (batch.endsSeenData || batch.isLastOfProducer) return stays
  if (batch.deleteHorizonMs === undefined) return waits
  return batch.deleteHorizonMs <= round.nowMs ? goes : stays
}

/** What the rules look at in a record. */
export interface RecordFacts {
  readonly offset: number
  readonly hasKey: boolean
  readonly isTombstone: boolean
  /** Offset of the last record with this key below the round's end; -1 when the round met none. */
  readonly newestOffset: number
}

/**
 * Whether a record below the round's end stays: it has a key, no newer one has the same, and it is no tombstone whose time is up.
 * @param tombstonesGo whether the delete horizon of its batch has passed.
 */
export function keepsRecord(record: RecordFacts, tombstonesGo: boolean): boolean {
  return record.hasKey && record.offset >= record.newestOffset && !(record.isTombstone && tombstonesGo)
}
