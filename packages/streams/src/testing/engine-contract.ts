import assert from 'node:assert/strict'
import type { ContractCase } from '@millrace/log/testing'
import { COUNTED_ENTRIES, changesOf, type KeyRange, type StateEngine } from '../state/engine.ts'

/** An engine under test. */
export interface EngineUnderTest {
  /** Opens the engine; the same data again after `close`, unless it is gone with the process. */
  open(): Promise<StateEngine>
  /** Whether data is there again after `close` and `open`. */
  readonly durable: boolean
}

/** What every StateEngine promises. `make` is called once per case. */
export function engineContract(make: () => EngineUnderTest): readonly ContractCase[] {
  return cases.map(([name, check]) => ({
    name,
    run: async () => check(make())
  }))
}

type Check = readonly [name: string, check: (under: EngineUnderTest) => Promise<void>]

const everything: KeyRange = { gte: Buffer.alloc(0), lt: Buffer.alloc(20, 0xff) }

const cases: readonly Check[] = [
  [
    'gets what was written, empty and large values, and undefined for what was not',
    opened(async (engine) => {
      const large = Buffer.alloc(300_000, 'large')
      await engine.write(
        changesOf([
          { key: bytes('a'), value: bytes('1') },
          { key: bytes('empty'), value: Buffer.alloc(0) },
          { key: bytes('large'), value: large }
        ])
      )
      assert.deepEqual(engine.get(bytes('a')), bytes('1'))
      assert.deepEqual(engine.get(bytes('empty')), Buffer.alloc(0))
      assert.deepEqual(engine.get(bytes('large')), large)
      assert.equal(engine.get(bytes('b')), undefined)
    })
  ],
  [
    'a later change of one batch wins, and null deletes',
    opened(async (engine) => {
      await engine.write(
        changesOf([
          { key: bytes('a'), value: bytes('1') },
          { key: bytes('b'), value: bytes('1') },
          { key: bytes('a'), value: bytes('2') }
        ])
      )
      await engine.write(
        changesOf([
          { key: bytes('b'), value: null },
          { key: bytes('never'), value: null }
        ])
      )
      assert.deepEqual(engine.get(bytes('a')), bytes('2'))
      assert.equal(engine.get(bytes('b')), undefined)
      assert.equal(await listing(engine, everything), 'a=2')
    })
  ],
  [
    'the bytes of a value are the caller’s own',
    opened(async (engine) => {
      await engine.write(changesOf([{ key: bytes('a'), value: bytes('1') }]))
      engine.get(bytes('a'))?.fill('x')
      assert.deepEqual(engine.get(bytes('a')), bytes('1'))
    })
  ],
  [
    'scans half-open ranges in the order of unsigned bytes, in pages, both ways',
    opened(async (engine) => {
      const keys = ['00', '0000', '01', '7f', '7fff', '80', 'ff', 'ff00']
      const shuffled = [...keys.slice(3), ...keys.slice(0, 3)]
      await engine.write(changesOf(shuffled.map((hex) => ({ key: Buffer.from(hex, 'hex'), value: bytes('v') }))))
      const range = { gte: Buffer.from('0000', 'hex'), lt: Buffer.from('ff', 'hex') }
      const inside = keys.slice(1, 6)
      assert.deepEqual(await keysOf(engine, range), inside)
      assert.deepEqual(await keysOf(engine, { ...range, reverse: true }), inside.toReversed())
      assert.deepEqual(await keysOf(engine, { gte: Buffer.from('02', 'hex'), lt: Buffer.from('03', 'hex') }), [])
    })
  ],
  [
    'counts a few entries of a range, and says about how many they are where they are many',
    opened(async (engine) => {
      assert.equal(await engine.approximateEntries(everything), 0)
      const many = Array.from({ length: 30_000 }, (_, i) => ({
        key: bytes(`k${String(i).padStart(6, '0')}`),
        value: Buffer.alloc(60, String(Math.imul(i, 0x9e3779b1)))
      }))
      for (let at = 0; at < many.length; at += 1_000) await engine.write(changesOf(many.slice(at, at + 1_000)))
      await engine.write(
        changesOf([
          { key: bytes('a'), value: bytes('1') },
          { key: bytes('b'), value: bytes('1') },
          { key: bytes('b'), value: bytes('2') }
        ])
      )
      assert.equal(await engine.approximateEntries({ gte: bytes('a'), lt: bytes('c') }), 2)
      assert.equal(await engine.approximateEntries({ gte: bytes('k000010'), lt: bytes('k000310') }), 300)
      const all = await engine.approximateEntries(everything)
      assert.ok(all > COUNTED_ENTRIES - 1 && all < 2 * many.length, `${all} of ${many.length}`)
    })
  ],
  [
    'a scan may be closed before its end',
    opened(async (engine) => {
      await engine.write(
        changesOf([
          { key: bytes('a'), value: bytes('1') },
          { key: bytes('b'), value: bytes('2') }
        ])
      )
      const scan = engine.scan(everything)
      assert.equal((await scan.next(1)).length, 1)
      await scan.close()
      assert.equal(await listing(engine, everything), 'a=1 b=2')
    })
  ],
  [
    'clears a range and only that',
    opened(async (engine) => {
      await engine.write(changesOf(['a', 'b', 'c', 'd'].map((key) => ({ key: bytes(key), value: bytes(key) }))))
      await engine.clear({ gte: bytes('b'), lt: bytes('d') })
      assert.equal(await listing(engine, everything), 'a=a d=d')
      assert.equal(engine.get(bytes('c')), undefined)
    })
  ],
  [
    'gives the space of cleared ranges back',
    async ({ open, durable }) => {
      if (!durable) return
      const engine = await open()
      let writtenBytes = 0
      // As windows come and go: each round writes a range and clears the one before the last.
      for (let round = 10; round < 50; round++) {
        const changes = Array.from({ length: 300 }, (_, i) => ({
          key: bytes(`${round}-${i}`),
          value: bytes(`${Math.imul(i + round, 0x85ebca6b)}`.repeat(60))
        }))
        for (const { value } of changes) writtenBytes += value.length
        await engine.write(changesOf(changes))
        await engine.clear({ gte: bytes('0'), lt: bytes(`${round - 1}`) })
      }
      const sizeBytes = await engine.sizeBytes()
      assert.ok(sizeBytes < writtenBytes / 5, `${writtenBytes} bytes written, ${sizeBytes} left`)
      await engine.close()
    }
  ],
  [
    'finds everything again after close',
    async ({ open, durable }) => {
      if (!durable) return
      const first = await open()
      await first.write(changesOf([{ key: bytes('a'), value: bytes('1') }]))
      await first.write(changesOf([{ key: bytes('b'), value: bytes('2') }]))
      await first.clear({ gte: bytes('a'), lt: bytes('b') })
      await first.close()
      const second = await open()
      assert.equal(await listing(second, everything), 'b=2')
      await second.close()
    }
  ]
]

function opened(check: (engine: StateEngine) => Promise<void>): (under: EngineUnderTest) => Promise<void> {
  return async ({ open }) => {
    const engine = await open()
    await check(engine)
    await engine.close()
  }
}

async function entriesOf(engine: StateEngine, range: KeyRange): Promise<(readonly [Buffer, Buffer])[]> {
  const scan = engine.scan(range)
  const entries: (readonly [Buffer, Buffer])[] = []
  for (let page = await scan.next(2); page.length > 0; page = await scan.next(2)) entries.push(...page)
  await scan.close()
  return entries
}

async function keysOf(engine: StateEngine, range: KeyRange): Promise<string[]> {
  return (await entriesOf(engine, range)).map(([key]) => key.toString('hex'))
}

async function listing(engine: StateEngine, range: KeyRange): Promise<string> {
  return (await entriesOf(engine, range)).map(([key, value]) => `${key}=${value}`).join(' ')
}

function bytes(text: string): Buffer {
  return Buffer.from(text)
}
