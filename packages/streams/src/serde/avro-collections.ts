import type { Schema, Type } from 'avsc'
import { avsc } from './avsc-library.ts'

/** What avsc's readers of arrays and maps work on; its declarations leave it out. */
interface Tap {
  readonly buf: Buffer
  pos: number
  readLong(): number
  skipLong(): void
  readString(): string
}

interface Readable {
  _read(tap: Tap): unknown
}

/** Items that take no bytes (nulls, empty records) may be this many in a block. */
const MAX_EMPTY_ITEMS = 1_000_000

/**
 * A type hook that has arrays and maps stop where their bytes do. avsc's own believe the count they read, and go on past the end: a torn value of
 * a few bytes may take all memory, or never end.
 */
export function guardedCollections(schema: Schema, options: object): Type | undefined {
  if (typeof schema !== 'object' || !('type' in schema)) return undefined
  if (schema.type === 'array') return withRead(Reflect.construct(avsc().types.ArrayType, [schema, options]), readArray)
  if (schema.type === 'map') return withRead(Reflect.construct(avsc().types.MapType, [schema, options]), readMap)
  return undefined
}

/** Resolvers take the method from the type, and have items' readers of their own: `this` is either. */
function withRead(type: Type, read: (tap: Tap) => unknown): Type {
  const guarded: Type & Readable = Object.create(type)
  guarded._read = read
  return guarded
}

function readArray(this: { readonly itemsType: Readable }, tap: Tap): unknown[] {
  const items: unknown[] = []
  for (let left = blockSize(tap); left > 0; left = blockSize(tap)) {
    for (; left > 0; left--) {
      items.push(this.itemsType._read(tap))
      requireWithin(tap)
    }
  }
  return items
}

function readMap(this: { readonly valuesType: Readable }, tap: Tap): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (let left = blockSize(tap); left > 0; left = blockSize(tap)) {
    for (; left > 0; left--) {
      const key = tap.readString()
      requireWithin(tap)
      values[key] = this.valuesType._read(tap)
    }
  }
  return values
}

/** How many items follow; a negative count comes with the block's length in bytes. */
function blockSize(tap: Tap): number {
  let count = tap.readLong()
  if (count < 0) {
    count = -count
    tap.skipLong()
  }
  requireWithin(tap)
  const leftBytes = tap.buf.length - tap.pos
  if (count <= leftBytes || count <= MAX_EMPTY_ITEMS) return count
  throw new RangeError(`it claims ${count} items, and ${leftBytes} bytes are left`)
}

function requireWithin(tap: Tap): void {
  if (tap.pos > tap.buf.length) throw new RangeError('the bytes end within an array or a map')
}
