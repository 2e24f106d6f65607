/** How many of a producer's last batches are remembered, and so how many requests it may have in flight. */
export const DEDUP_WINDOW_BATCHES = 5
/** Greatest sequence number; the next one is 0. */
export const SEQUENCE_MAX = 0x7fff_ffff

/** One appended batch of a producer. */
export interface ProducedBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  /** Last offset minus first; the same distance in sequence numbers. */
  readonly offsetDelta: number
  readonly timestampMs: number
}

/** What one partition knows of one producer id. */
export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  /** Of the last transaction marker; -1 before the first. */
  coordinatorEpoch: number
  /** Of the last batch or marker. */
  lastTimestampMs: number
  /** First offset of the open transaction; -1 when none is open. */
  transactionFirstOffset: number
  /** Oldest first, of the current epoch only. */
  batches: ProducedBatch[]
}

/** A producer of which nothing is known yet. */
export function newProducerEntry(producerId: number): ProducerEntry {
  return {
    producerId,
    epoch: -1,
    coordinatorEpoch: -1,
    lastTimestampMs: -1,
    transactionFirstOffset: -1,
    batches: []
  }
}

/** The epoch that a batch or marker brought: a new one forgets the batches of the old. */
export function enterEpoch(entry: ProducerEntry, epoch: number): void {
  if (entry.epoch === epoch) return
  entry.epoch = epoch
  entry.batches = []
}

/** Remembers a batch, forgetting the oldest beyond the window. */
export function rememberBatch(entry: ProducerEntry, batch: ProducedBatch): void {
  if (entry.batches.length === DEDUP_WINDOW_BATCHES) entry.batches.shift()
  entry.batches.push(batch)
}

/** The remembered batch with exactly these sequence numbers, in the same epoch. */
export function findDuplicate(
  entry: ProducerEntry,
  batch: { readonly epoch: number; readonly baseSequence: number; readonly offsetDelta: number }
): ProducedBatch | undefined {
  if (entry.epoch !== batch.epoch) return undefined
  const lastSequence = sequenceAfter(batch.baseSequence, batch.offsetDelta)
  return entry.batches.find((known) => known.lastSequence === lastSequence && known.offsetDelta === batch.offsetDelta)
}

/** Sequence number `steps` after `sequence`, wrapping to 0. */
export function sequenceAfter(sequence: number, steps: number): number {
  return sequence > SEQUENCE_MAX - steps ? steps - (SEQUENCE_MAX - sequence) - 1 : sequence + steps
}

/** Last sequence number of the current epoch; -1 when it has none, so that 0 comes next. */
export function lastSequenceOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? -1
}
