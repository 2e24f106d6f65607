import type { BlobStore } from './blob-store.ts'
import type { Serde } from './serde.ts'

/** What a serde made of others has to say of blob stores: theirs. Spread it into the serde. */
export function besideLogOf(...parts: readonly Pick<Serde<unknown>, 'besideLog'>[]): Pick<Serde<unknown>, 'besideLog'> {
  const stores = parts.flatMap(({ besideLog }) => besideLog ?? [])
  return stores.length === 0 ? {} : { besideLog: Object.freeze([...new Set(stores)]) }
}

/** All blob stores that serdes anywhere in some data have: a topology, its nodes, what they are made of. */
export function blobStoresIn(data: unknown): readonly BlobStore[] {
  const found = new Set<BlobStore>()
  const seen = new Set<unknown>()
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    if (isSerde(value)) for (const store of value.besideLog ?? []) found.add(store)
    for (const part of Object.values(value)) look(part)
  }
  look(data)
  return [...found]
}

function isSerde(value: object): value is Serde<unknown> {
  return 'encode' in value && 'decode' in value
}
