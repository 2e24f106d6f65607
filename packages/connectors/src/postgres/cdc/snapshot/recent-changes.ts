import type { Tuple } from '../pgoutput/message.ts'
import { isVisible, type Visibility } from './visibility.ts'

/** Transactions remembered while no snapshot runs: those that may be in the stream before the database shows them are far fewer. */
const REMEMBERED_TRANSACTIONS = 4096

/** Keys that are remembered although the snapshot sees their change: the row that it reads then says nothing new and is left out. */
const REMEMBERED_KEYS = 100_000

/** The newest change of a key in the stream. */
export interface RecentChange {
  readonly xid: number
  /** The row it left, of which values stored out of line are known from nowhere but the snapshot's own row. */
  readonly incomplete?: Tuple
  /** The key that the row has now. */
  readonly movedTo?: string
}

/**
 * What the stream has delivered that a snapshot may not see yet. A commit is in the write-ahead log, and so in the stream, before the database
 * shows it to others; a row that was read without it would undo it. So rows whose key the stream has changed are dropped: when their mark in the
 * stream is passed, all that they show was delivered, and maybe more. A change must be remembered until a chunk's own snapshot sees it.
 */
export class RecentChanges {
  readonly #tables = new Map<string, Map<string, RecentChange>>()
  readonly #truncates = new Map<string, number>()
  #transactions: number[] = []
  /** Transactions from before the changes were remembered by key: nothing may be read while one of them is not seen. */
  #blocking: number[] = []
  #isRecording = false
  #keys = 0
  #trimKeysAbove = REMEMBERED_KEYS
  #trimTransactionsAbove = REMEMBERED_TRANSACTIONS
  #oldestSeen: () => Visibility | undefined = () => undefined

  /** What every chunk that waits and every later one sees at least, so that no more has to be remembered; undefined while that is not known. */
  trimBy(oldestSeen: () => Visibility | undefined): void {
    this.#oldestSeen = oldestSeen
  }

  /** Begins to remember changes by key. */
  record(unseen: readonly number[] = []): void {
    if (!this.#isRecording) this.#blocking = [...this.#transactions, ...unseen]
    this.#isRecording = true
  }

  /** No snapshot runs any more. */
  stop(): void {
    this.#isRecording = false
    this.#blocking = []
    this.#tables.clear()
    this.#truncates.clear()
    this.#keys = 0
    this.#trimKeysAbove = REMEMBERED_KEYS
    this.#trimTransactionsAbove = REMEMBERED_TRANSACTIONS
  }

  get isRecording(): boolean {
    return this.#isRecording
  }

  /** Transactions in the stream that no chunk has seen yet, for the position. */
  get unseen(): readonly number[] {
    return this.#isRecording ? [...this.#blocking, ...this.#transactions] : []
  }

  transaction(xid: number): void {
    this.#transactions.push(xid)
    if (!this.#isRecording && this.#transactions.length > REMEMBERED_TRANSACTIONS) {
      this.#transactions = this.#transactions.slice(-REMEMBERED_TRANSACTIONS / 2)
    }
    if (this.#isRecording && this.#transactions.length > this.#trimTransactionsAbove) this.#trim()
  }

  note(table: string, key: Buffer, change: RecentChange): void {
    let keys = this.#tables.get(table)
    if (!keys) {
      keys = new Map()
      this.#tables.set(table, keys)
    }
    keys.set(key.toString('latin1'), change)
    if (++this.#keys > this.#trimKeysAbove) this.#trim()
  }

  truncated(table: string, xid: number): void {
    this.#tables.delete(table)
    this.#truncates.set(table, xid)
  }

  /** Whether a chunk that sees this may be used at all. */
  isUsable(visibility: Visibility): boolean {
    this.#blocking = this.#blocking.filter((xid) => !isVisible(xid, visibility))
    return this.#blocking.length === 0
  }

  /** Whether all rows that were read under this are outdated. */
  isTruncated(table: string, visibility: Visibility): boolean {
    const xid = this.#truncates.get(table)
    return xid !== undefined && !isVisible(xid, visibility)
  }

  /** Whether nothing is known of a table. */
  isEmpty(table: string): boolean {
    return (this.#tables.get(table)?.size ?? 0) === 0
  }

  /** The change of the key that the stream has delivered, if it is remembered. */
  changeOf(table: string, key: Buffer): RecentChange | undefined {
    return this.#tables.get(table)?.get(key.toString('latin1'))
  }

  /** Where a row is that began under a key: its last change, and its key. */
  follow(table: string, change: RecentChange): { readonly change: RecentChange; readonly key: Buffer } | undefined {
    const keys = this.#tables.get(table)
    let at: RecentChange | undefined = change
    let key: string | undefined
    for (let moves = 0; at?.movedTo !== undefined && moves < 1000; moves++) {
      key = at.movedTo
      at = keys?.get(key)
    }
    return at && key !== undefined ? { change: at, key: Buffer.from(key, 'latin1') } : undefined
  }

  /** Forgets what every later snapshot sees, as far as there is too much to remember. */
  prune(visibility: Visibility): void {
    this.#transactions = this.#transactions.filter((xid) => !isVisible(xid, visibility))
    for (const [table, xid] of this.#truncates) if (isVisible(xid, visibility)) this.#truncates.delete(table)
    if (this.#countKeys() < REMEMBERED_KEYS) return
    for (const table of this.#tables.values()) {
      for (const [key, change] of table) if (isVisible(change.xid, visibility)) table.delete(key)
    }
  }

  /** Prunes without waiting for a chunk to be passed: a stream that is far behind brings more than can be remembered before that. */
  #trim(): void {
    const seen = this.#oldestSeen()
    if (seen) this.prune(seen)
    this.#keys = this.#countKeys()
    this.#trimKeysAbove = Math.max(REMEMBERED_KEYS, this.#keys * 2)
    this.#trimTransactionsAbove = Math.max(REMEMBERED_TRANSACTIONS, this.#transactions.length * 2)
  }

  #countKeys(): number {
    let keys = 0
    for (const table of this.#tables.values()) keys += table.size
    return keys
  }
}
