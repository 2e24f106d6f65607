/** Hash, place and length of the key, offset, and two places in the table. */
const ENTRY_BYTES = 4 + 8 + 4 + 8 + 2 * 4
const FIRST_ENTRIES = 16
const FIRST_KEY_BYTES = 256
/** Up to this length a loop is faster than a call. */
const LOOP_BYTES = 32

/**
 * The last offset of each key, within a budget of memory. Keys are kept whole and compared byte by byte, so that no two of them are ever
 * taken for one; everything lies in typed arrays that grow by doubling.
 */
export class KeyMap {
  readonly #maxBytes: number
  #count = 0
  /** Number of the entry plus one, by hash; linear probing, at most half full. */
  #table = new Int32Array(2 * FIRST_ENTRIES)
  #hashes = new Int32Array(FIRST_ENTRIES)
  #starts = new Float64Array(FIRST_ENTRIES)
  #lengths = new Int32Array(FIRST_ENTRIES)
  #offsets = new Float64Array(FIRST_ENTRIES)
  #keys = Buffer.allocUnsafeSlow(FIRST_KEY_BYTES)
  #keyBytes = 0

  /** @param maxBytes what all of its arrays may take together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Number of keys. */
  get size(): number {
    return this.#count
  }

  /** Bytes that its arrays take. */
  get allocatedBytes(): number {
    return this.#hashes.length * ENTRY_BYTES + this.#keys.length
  }

  /**
   * Notes that the key, bytes `start` to `end` of `source`, was written at `offset`. Offsets of one key rise.
   * @returns false when there is no room for a new key within the budget; `force` takes it nevertheless.
   */
  put(source: Buffer, key: { readonly start: number; readonly end: number; readonly offset: number }, force = false) {
    const hash = hashOf(source, key.start, key.end)
    const slot = this.#find(source, key, hash)
    const found = this.#table[slot] - 1
    if (found >= 0) {
      this.#offsets[found] = key.offset
      return true
    }
    return this.#insert(source, { ...key, hash, slot }, force)
  }

  /** Offset of the key's last record; -1 when it is not known. */
  get(source: Buffer, start: number, end: number): number {
    if (this.#count === 0) return -1
    const found = this.#table[this.#find(source, { start, end }, hashOf(source, start, end))] - 1
    return found < 0 ? -1 : this.#offsets[found]
  }

  #insert(
    source: Buffer,
    key: {
      readonly start: number
      readonly end: number
      readonly offset: number
      readonly hash: number
      readonly slot: number
    },
    force: boolean
  ): boolean {
    const length = key.end - key.start
    let { slot } = key
    if (this.#count === this.#hashes.length) {
      if (!force && this.allocatedBytes + this.#hashes.length * ENTRY_BYTES > this.#maxBytes) return false
      this.#growEntries()
      slot = this.#find(source, key, key.hash)
    }
    if (this.#keyBytes + length > this.#keys.length && !this.#growKeys(length, force)) return false
    source.copy(this.#keys, this.#keyBytes, key.start, key.end)
    const index = this.#count++
    this.#hashes[index] = key.hash
    this.#starts[index] = this.#keyBytes
    this.#lengths[index] = length
    this.#offsets[index] = key.offset
    this.#table[slot] = index + 1
    this.#keyBytes += length
    return true
  }

  /** The slot of the table that has the key, or the empty one where it belongs. */
  #find(source: Buffer, key: { readonly start: number; readonly end: number }, hash: number): number {
    const mask = this.#table.length - 1
    const length = key.end - key.start
    let slot = hash & mask
    for (;;) {
      const index = this.#table[slot] - 1
      if (index < 0) return slot
      if (this.#hashes[index] === hash && this.#lengths[index] === length && this.#equals(index, source, key.start)) {
        return slot
      }
      slot = (slot + 1) & mask
    }
  }

  #equals(index: number, source: Buffer, start: number): boolean {
    const from = this.#starts[index]
    const length = this.#lengths[index]
    const keys = this.#keys
    if (length > LOOP_BYTES) return keys.compare(source, start, start + length, from, from + length) === 0
    for (let i = 0; i < length; i++) if (keys[from + i] !== source[start + i]) return false
    return true
  }

  #growEntries(): void {
    const capacity = 2 * this.#hashes.length
    this.#hashes = extended(this.#hashes, new Int32Array(capacity))
    this.#lengths = extended(this.#lengths, new Int32Array(capacity))
    this.#starts = extended(this.#starts, new Float64Array(capacity))
    this.#offsets = extended(this.#offsets, new Float64Array(capacity))
    this.#table = new Int32Array(2 * capacity)
    const mask = this.#table.length - 1
    for (let index = 0; index < this.#count; index++) {
      let slot = this.#hashes[index] & mask
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask
      this.#table[slot] = index + 1
    }
  }

  #growKeys(extraBytes: number, force: boolean): boolean {
    const needed = this.#keyBytes + extraBytes
    const allowed = force ? Number.POSITIVE_INFINITY : this.#maxBytes - this.#hashes.length * ENTRY_BYTES
    if (needed > allowed) return false
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(2 * this.#keys.length, allowed)))
    this.#keys.copy(grown, 0, 0, this.#keyBytes)
    this.#keys = grown
    return true
  }
}

function extended<A extends Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from)
  return to
}

/** FNV-1a over the bytes, its bits mixed as Murmur3 does at its end: the keys of one partition have low bits of murmur2 in common. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c_9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], 0x0100_0193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}
