import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryEnvironment } from '@millrace/log'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTopology } from '../dsl/define-topology.ts'
import type { StreamsBuilder } from '../dsl/streams-builder.ts'
import { scan } from '../rx/scan.ts'
import { skip } from '../task/error-policy.ts'
import { blobContract } from '../testing/blob-contract.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import { blobStoresIn } from './beside-log.ts'
import { BlobError } from './blob-error.ts'
import { bytes } from './bytes.ts'
import { blobReference, claimCheck } from './claim-check.ts'
import { serde } from './custom.ts'
import { FileBlobs } from './file-blobs.ts'
import { json } from './json.ts'
import { list } from './list.ts'
import { MemoryBlobs } from './memory-blobs.ts'
import { optional } from './optional.ts'
import { schema } from './schema.ts'
import type { Serde } from './serde.ts'
import { string } from './string.ts'
import { versioned } from './versioned.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-blobs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('blobs in memory', () => {
  const cases = blobContract(() => {
    const store = new MemoryBlobs()
    return { open: () => store, durable: false }
  })
  for (const { name, run } of cases) it(name, run)
})

describe('blobs in files', () => {
  const cases = blobContract(() => {
    const directory = join(mkdtempSync(join(root, 'files-')), 'blobs')
    return { open: () => new FileBlobs(directory), durable: true }
  })
  for (const { name, run } of cases) it(name, run)
})

function failureOf(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('claimCheck', () => {
  it('reads what it wrote, on both sides of its limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(20), (given, aboveBytes) => {
        const store = new MemoryBlobs()
        const serde = claimCheck(bytes(), { store, aboveBytes })
        const value = Buffer.from(given)
        const encoded = serde.encode(value)
        const padded = Buffer.concat([Buffer.from('<'), encoded, Buffer.from('>')])
        expect(serde.decode(padded, 1, padded.length - 1)).toEqual(value)
        expect(blobReference(encoded)?.sizeBytes).toBe(value.length > aboveBytes ? value.length : undefined)
        expect([...store.list()]).toHaveLength(value.length > aboveBytes ? 1 : 0)
      })
    )
  })

  it('names a blob by what is in it, so that a value that comes again takes no space', () => {
    const store = new MemoryBlobs()
    const serde = claimCheck(string(), { store, aboveBytes: 3 })
    const [one, again, other] = ['long', 'long', 'other'].map((text) => serde.encode(text))
    expect(one).toEqual(again)
    expect([...store.list()].map(({ name }) => name)).toEqual(
      [one, other].map((encoded) => blobReference(encoded)?.name)
    )
    // SHA-256 of 'long'.
    expect(blobReference(one)?.name).toBe('fc66f021c67d064c1490a12b5a4d4d2f5167ca692a16ca12f1f3a4cda29a6fa9')
  })

  it('says which blob is missing or wrong, and where it should be', () => {
    const store = new MemoryBlobs()
    const serde = claimCheck(string(), { store, aboveBytes: 3 })
    const encoded = serde.encode('a long value')
    const name = blobReference(encoded)?.name ?? ''
    const decode = () => serde.decode(encoded, 0, encoded.length)
    for (const wrong of ['a wrong value'.slice(0, 12), 'short']) {
      store.put(name, Buffer.from(wrong))
      const corrupt = failureOf(decode)
      expect(corrupt).toBeInstanceOf(BlobError)
      expect(corrupt).toMatchObject({ problem: 'corrupt', reference: name, location: 'memory' })
    }
    store.remove(name)
    const missing = failureOf(decode)
    expect(missing).toMatchObject({ problem: 'missing', reference: name })
    expect(String(missing)).toContain(`blob ${name} is missing in memory`)
  })

  it('refuses bytes of another serde, and a limit that is none', () => {
    const store = new MemoryBlobs()
    const serde = claimCheck(string(), { store })
    for (const wrong of [Buffer.alloc(0), Buffer.from('text'), Buffer.alloc(40, 1)]) {
      expect(() => serde.decode(wrong, 0, wrong.length)).toThrow('written by another serde')
    }
    expect(() => claimCheck(string(), { store, aboveBytes: -1 })).toThrow('claimCheck above -1 bytes')
  })

  it('leaves a record whose blob is missing to the deserialization policy', async () => {
    const store = new MemoryBlobs()
    const serdes = { key: string(), value: claimCheck(string(), { store, aboveBytes: 3 }) }
    const topology = defineTopology('copying', (b) => {
      b.stream('in', serdes).to('out')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { deserialization: skip() } })
    await driver.input<string, string>('in').pipe('k', 'a long value', 0)
    for (const { name } of store.list()) store.remove(name)
    const lost = serdes.value.encode('another one')
    for (const { name } of store.list()) store.remove(name)
    await driver.input<string, Buffer>('in', { value: bytes() }).pipe('k', lost, 1)
    expect(driver.skipped()[0]?.cause).toMatchObject({ problem: 'missing' })
    expect(driver.output('out').pending).toBe(1)
    await driver.close()
  })
})

describe('blobs on their way to the disk', () => {
  it('can be read already, and one that cannot be written is an error for good', async () => {
    const { files, ...environment } = memoryEnvironment()
    let failing = false
    const failingFiles = new Proxy(files, {
      get: (target, property) => {
        if (failing && property === 'open') throw new RangeError('disk full')
        const found: unknown = Reflect.get(target, property)
        return typeof found === 'function' ? found.bind(target) : found
      }
    })
    const store = new FileBlobs('/blobs', { ...environment, files: failingFiles })
    const serde = claimCheck(string(), { store, aboveBytes: 3 })
    serde.encode('a long value')
    await store.synced()
    expect([...new FileBlobs('/blobs', { ...environment, files }).list()].map(({ sizeBytes }) => sizeBytes)).toEqual([
      12
    ])
    failing = true
    const encoded = serde.encode('another long value')
    expect(serde.decode(encoded, 0, encoded.length)).toBe('another long value')
    await expect(store.synced()).rejects.toThrow('disk full')
    failing = false
    await expect(store.synced()).rejects.toThrow('disk full')
  })

  it('are known to a topology wherever its serdes have one inside', () => {
    const store = new MemoryBlobs()
    const large = claimCheck(json<string>(), { store })
    const own = serde<string>({ name: 'own', encode: large.encode, decode: String, besideLog: [store] })
    const inside: readonly Serde<string>[] = [
      large,
      own,
      schema(z.string(), { serde: large }),
      versioned(large),
      versioned(string()).next(large, (old) => old)
    ]
    const knows = (define: (b: StreamsBuilder) => void) =>
      expect(blobStoresIn(defineTopology('t', define).nodes)).toEqual([store])
    for (const value of inside) {
      knows((b) => b.stream('in', { key: string(), value }).to('out'))
      knows((b) => void b.table('in', { key: string(), value, store: 'kept', history: '1h' }))
      const text = { key: string(), value: string() }
      knows((b) =>
        b
          .stream('in', text)
          .mapValues((from) => from, { value })
          .to('out')
      )
      knows((b) => b.stream('in', text).groupByKey().aggregate(String, String, { value, store: 's' }))
      knows((b) => void b.stream('in', text).rx(scan((_, from) => from, '', { value })))
      knows(
        (b) => void b.stream('in', text).process(() => undefined, { stores: [b.store('s', { key: string(), value })] })
      )
    }
    knows((b) => b.stream('in', { key: string(), value: list(large) }).to('out'))
    knows((b) => b.stream('in', { key: string(), value: optional(large) }).to('out'))
    expect(
      blobStoresIn(defineTopology('t', (b) => b.stream('in', { key: string(), value: string() }).to('o')).nodes)
    ).toEqual([])
  })
})
