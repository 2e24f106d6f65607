import { InvariantError } from '@millrace/log'
import { DROP_REASONS, DropCounter } from '../processor/dropped-records.ts'
import { NO_TIME_MS, OperatorTime } from '../processor/operator-time.ts'

/** The greatest timestamp taken from one input partition, milliseconds. */
export interface PartitionTime {
  readonly topic: string
  ms: number
}

/** When one schedule of a processor is due next, milliseconds of its clock; {@link NO_TIME_MS}: it has not begun. */
export interface PunctuationTime {
  nextMs: number
  /** Its place among the schedules that are due at the same time: a count of what fired before, and the place in a heap. It grows. */
  place: number
}

/** Kinds of entries in the encoded form. Never renumbered. */
const EntryKind = {
  task: 0,
  partition: 1,
  observed: 2,
  closed: 3,
  punctuation: 4,
  punctuationPlace: 5,
  firstDropReason: 16
} as const

const FORMAT_VERSION = 1
const ENTRY_BYTES = 13

/**
 * All the times of one task: of each input partition, of the task, and of each operator that has a time of its own; when each schedule of a
 * processor is due; and how many records each node dropped. They are committed with the offsets (as their metadata) and in the stores' batch, and only ever grow, so that of two
 * states that were saved the greater one of each figure is right.
 *
 * Encoded: the version (1 byte), then per figure 13 bytes: kind (1), hash of the topic or node name (4), milliseconds or a count as a double (8). Hashes keep
 * it small, since a broker limits offset metadata to 4,096 bytes: room for 230 times.
 */
export class StreamTime {
  /** The greatest timestamp taken from any partition. */
  taskMs: number = NO_TIME_MS
  readonly #partitions = new Map<string, PartitionTime>()
  readonly #operators = new Map<string, OperatorTime>()
  readonly #punctuations = new Map<string, PunctuationTime>()
  readonly #dropped = new Map<string, DropCounter>()
  /** Restored counts of nodes that have not asked for their counter yet, by kind and hash. */
  readonly #restoredDrops = new Map<number, TimeEntry>()

  partition(topic: string): PartitionTime {
    const known = this.#partitions.get(topic)
    if (known) return known
    const time = { topic, ms: NO_TIME_MS }
    this.#partitions.set(topic, time)
    return time
  }

  operator(node: string): OperatorTime {
    const known = this.#operators.get(node)
    if (known) return known
    const time = new OperatorTime(node)
    this.#operators.set(node, time)
    return time
  }

  /** @param schedule Name of a schedule: the same in every life of the task. */
  punctuation(schedule: string): PunctuationTime {
    const known = this.#punctuations.get(schedule)
    if (known) return known
    const time = { nextMs: NO_TIME_MS, place: NO_TIME_MS }
    this.#punctuations.set(schedule, time)
    return time
  }

  /** What a node dropped, in all lives of the task. */
  dropCounter(node: string): DropCounter {
    const known = this.#dropped.get(node)
    if (known) return known
    const counter = new DropCounter(node)
    this.#dropped.set(node, counter)
    for (const entry of dropEntries(counter)) {
      const restored = this.#restoredDrops.get(idOf(entry))
      if (!restored) continue
      entry.write(restored.read())
      this.#restoredDrops.delete(idOf(entry))
    }
    return counter
  }

  /** Counters of all nodes that dropped anything since they were made. */
  dropCounters(): readonly DropCounter[] {
    return [...this.#dropped.values()]
  }

  /** Takes note of a record that was taken from a partition. */
  advance(partition: PartitionTime, timestampMs: number): void {
    if (timestampMs > partition.ms) partition.ms = timestampMs
    if (timestampMs > this.taskMs) this.taskMs = timestampMs
  }

  encode(): Buffer {
    const entries = this.#entries().filter(({ read }) => read() !== NO_TIME_MS)
    const bytes = Buffer.alloc(1 + entries.length * ENTRY_BYTES)
    bytes[0] = FORMAT_VERSION
    entries.forEach(({ kind, hash, read }, index) => {
      const at = 1 + index * ENTRY_BYTES
      bytes.writeUInt8(kind, at)
      bytes.writeUInt32BE(hash, at + 1)
      bytes.writeDoubleBE(read(), at + 5)
    })
    return bytes
  }

  /**
   * Takes over an encoded state, where it is ahead. Times of nodes and topics that are no longer there are ignored, and so are bytes of another
   * origin (a tool may have set the offsets): the times then begin with the next records.
   */
  restore(bytes: Buffer): void {
    if (bytes.length === 0 || bytes[0] !== FORMAT_VERSION || (bytes.length - 1) % ENTRY_BYTES !== 0) return
    const entries = this.#entries()
    for (let at = 1; at < bytes.length; at += ENTRY_BYTES) {
      const kind = bytes.readUInt8(at)
      const hash = bytes.readUInt32BE(at + 1)
      const ms = bytes.readDoubleBE(at + 5)
      const entry = entries.find((candidate) => candidate.kind === kind && candidate.hash === hash)
      if (!Number.isSafeInteger(ms)) continue
      if (entry === undefined && kind >= EntryKind.firstDropReason) this.#restoreDrop(kind, hash, ms)
      else if (entry && ms > entry.read()) entry.write(ms)
    }
  }

  #restoreDrop(kind: number, hash: number, count: number): void {
    const before = this.#restoredDrops.get(idOf({ kind, hash }))?.read() ?? 0
    const known = Math.max(before, count)
    this.#restoredDrops.set(idOf({ kind, hash }), { kind, hash, read: () => known, write: () => undefined })
  }

  #entries(): TimeEntry[] {
    const task: TimeEntry = {
      kind: EntryKind.task,
      hash: 0,
      read: () => this.taskMs,
      write: (ms) => {
        this.taskMs = ms
      }
    }
    const entries = [task, ...[...this.#partitions.values()].map(partitionEntry)]
    for (const operator of this.#operators.values()) entries.push(...operatorEntries(operator))
    for (const [schedule, time] of this.#punctuations) entries.push(...punctuationEntries(schedule, time))
    for (const counter of this.#dropped.values()) entries.push(...dropEntries(counter))
    entries.push(...this.#restoredDrops.values())
    assertDistinct(entries)
    return entries
  }
}

interface TimeEntry {
  readonly kind: number
  readonly hash: number
  readonly read: () => number
  readonly write: (ms: number) => void
}

function partitionEntry(time: PartitionTime): TimeEntry {
  return {
    kind: EntryKind.partition,
    hash: hashOf(time.topic),
    read: () => time.ms,
    write: (ms) => {
      time.ms = ms
    }
  }
}

function operatorEntries(time: OperatorTime): TimeEntry[] {
  const hash = hashOf(time.node)
  return [
    {
      kind: EntryKind.observed,
      hash,
      read: () => time.observedMs,
      write: (ms) => {
        time.observedMs = ms
        time.flushedMs = ms
      }
    },
    {
      kind: EntryKind.closed,
      hash,
      read: () => time.closedMs,
      write: (ms) => {
        time.closedMs = ms
      }
    }
  ]
}

function punctuationEntries(schedule: string, time: PunctuationTime): TimeEntry[] {
  const hash = hashOf(schedule)
  return [
    {
      kind: EntryKind.punctuation,
      hash,
      read: () => time.nextMs,
      write: (ms) => {
        time.nextMs = ms
      }
    },
    {
      kind: EntryKind.punctuationPlace,
      hash,
      read: () => time.place,
      write: (place) => {
        time.place = place
      }
    }
  ]
}

/** A count of nothing is not written, as a time that never was. */
function dropEntries(counter: DropCounter): TimeEntry[] {
  const hash = hashOf(counter.node)
  return DROP_REASONS.map((reason, index) => ({
    kind: EntryKind.firstDropReason + index,
    hash,
    read: () => counter.counts[reason] || NO_TIME_MS,
    write: (count) => {
      counter.counts[reason] = count
    }
  }))
}

function idOf({ kind, hash }: { readonly kind: number; readonly hash: number }): number {
  return kind * 0x1_0000_0000 + hash
}

function assertDistinct(entries: readonly TimeEntry[]): void {
  const ids = new Set(entries.map(idOf))
  if (ids.size !== entries.length) {
    throw new InvariantError('two names in one task have the same 32-bit hash: rename one of the nodes or topics')
  }
}

/** FNV-1a over UTF-16 code units, 32 bits. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
