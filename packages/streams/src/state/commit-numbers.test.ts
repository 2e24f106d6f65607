import { describe, expect, it } from 'vitest'
import { CheckedEngine } from './checked-engine.ts'
import { commitRange } from './commit-numbers.ts'
import { changesOf } from './engine.ts'
import { StoreDamagedError } from './errors.ts'
import { checksumBytes } from './layout.ts'
import { MemoryEngine } from './memory-engine.ts'

async function filled(commits: number, valueBytes: number): Promise<MemoryEngine> {
  const engine = new MemoryEngine()
  const checked = await CheckedEngine.open(engine)
  for (let i = 0; i < commits; i++) {
    await checked.write(
      changesOf([{ key: Buffer.from([1, i & 0xff]), value: Buffer.alloc(valueBytes + checksumBytes) }])
    )
  }
  return engine
}

async function commitKeys(engine: MemoryEngine): Promise<Buffer[]> {
  return (await engine.scan(commitRange).next(10_000)).map(([key]) => key)
}

describe('commit numbers', () => {
  it('are kept for as many bytes as an engine may lose from its log, and for some commits at least', async () => {
    expect((await commitKeys(await filled(500, 100))).length).toBe(500)
    const large = (await commitKeys(await filled(60, 1 << 20))).length
    expect(large).toBeGreaterThanOrEqual(16)
    expect(large).toBeLessThan(19)
    expect((await commitKeys(await filled(10, 20 << 20))).length).toBe(4)
  })

  it.each([0, 1, 7, 18])('tell that commit %i of 20 was lost', async (lost) => {
    const engine = await filled(20, 10)
    await engine.write(changesOf([{ key: (await commitKeys(engine))[lost], value: null }]))
    await expect(CheckedEngine.open(engine)).rejects.toThrow(StoreDamagedError)
  })

  it('take a lost end for what it is', async () => {
    const engine = await filled(20, 10)
    await engine.write(changesOf([{ key: (await commitKeys(engine))[19], value: null }]))
    await CheckedEngine.open(engine)
  })

  it('go on after a failed write without a gap', async () => {
    const engine = await filled(20, 6 << 20)
    const checked = await CheckedEngine.open({
      location: 'failing',
      get: (key) => engine.get(key),
      scan: (range) => engine.scan(range),
      write: async () => {
        throw new RangeError('no')
      },
      clear: (range) => engine.clear(range),
      approximateEntries: (range) => engine.approximateEntries(range),
      sizeBytes: () => engine.sizeBytes(),
      close: () => engine.close()
    })
    await expect(checked.write(changesOf([]))).rejects.toThrow('no')
    const again = await CheckedEngine.open(engine)
    await again.write(changesOf([]))
    await CheckedEngine.open(engine)
  })
})

describe('a checked engine', () => {
  it('never returns a wrong value', async () => {
    const engine = await filled(1, 10)
    const key = Buffer.from([1, 0])
    const value = engine.get(key)
    if (value === undefined) throw new TypeError('the value is missing')
    const checked = await CheckedEngine.open(engine)
    for (let at = 0; at < value.length; at++) {
      const wrong = Buffer.from(value)
      wrong[at] ^= 1
      await engine.write(changesOf([{ key, value: wrong }]))
      expect(() => checked.get(key)).toThrow(StoreDamagedError)
      await expect(checked.verify()).rejects.toThrow(StoreDamagedError)
    }
    await engine.write(
      changesOf([
        { key, value: null },
        { key: Buffer.from([1, 9]), value }
      ])
    )
    expect(() => checked.get(Buffer.from([1, 9]))).toThrow(/fails its checksum/)
  })
})
