import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PoisonousRecordError, TransientSinkError } from '../errors.ts'
import { writeDivided } from './divide-batch.ts'
import type { SinkBatch } from './sink-queue.ts'

/** Records of partitions, in the order given; the offsets behind them leave a gap, as markers do. */
function batchOf(partitions: readonly number[]): SinkBatch {
  const ends = new Map<number, number>()
  const entries = partitions.map((partition) => {
    const offset = ends.get(partition) ?? 0
    ends.set(partition, offset + 1)
    const record = { topic: 't', partition, offset, key: null, value: null, timestamp: 0, headers: [] }
    return { record, sizeBytes: 1 }
  })
  const offsets = [...ends].map(([partition, end]) => ({ topic: 't', partition, offset: end + 5 }))
  return { entries, offsets }
}

async function divide(batch: SinkBatch, bad: ReadonlySet<number>, named: boolean) {
  const indexes = new Map(batch.entries.map((entry, i) => [entry, i]))
  const seen: number[] = []
  const refused: number[] = []
  const moved = new Map<number, number>()
  let writes = 0
  const move = (offsets: SinkBatch['offsets']) => {
    for (const { partition, offset } of offsets) {
      expect(offset).toBeGreaterThan(moved.get(partition) ?? 0)
      moved.set(partition, offset)
    }
  }
  await writeDivided(batch, {
    write: async (part) => {
      writes++
      const index = part.entries.findIndex((entry) => bad.has(indexes.get(entry) ?? -1))
      if (index >= 0 && named) throw new PoisonousRecordError(part.entries[index].record, 'bad')
      if (index >= 0) throw new RangeError('bad')
      seen.push(...part.entries.map((entry) => indexes.get(entry) ?? -1))
      move(part.offsets)
    },
    refuse: async (entry, offsets) => {
      refused.push(indexes.get(entry) ?? -1)
      seen.push(indexes.get(entry) ?? -1)
      move(offsets)
    },
    goesOn: () => true
  })
  return { seen, refused, moved, writes }
}

describe('a divided batch', () => {
  const partitions = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 60 })

  it('writes or refuses each record once, in order, and ends at the offsets of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(partitions, fc.array(fc.nat(59)), fc.boolean(), async (given, chosen, named) => {
        const batch = batchOf(given)
        const bad = new Set(chosen.filter((index) => index < given.length))
        const { seen, refused, moved } = await divide(batch, bad, named)
        expect(seen).toEqual(given.map((_, i) => i))
        expect(refused).toEqual([...bad].sort((a, b) => a - b))
        expect(moved).toEqual(new Map(batch.offsets.map(({ partition, offset }) => [partition, offset])))
      })
    )
  })

  it('finds one bad record in two writes a halving, and at once when it is named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), fc.nat(), async (size, at) => {
        const batch = batchOf(new Array(size).fill(0))
        const bad = new Set([at % size])
        const unnamed = await divide(batch, bad, false)
        expect(unnamed.writes).toBeLessThanOrEqual(2 + 2 * Math.ceil(Math.log2(size)))
        expect((await divide(batch, bad, true)).writes).toBeLessThanOrEqual(3)
      })
    )
  })

  it('blames no record for a failure that passed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), async (size) => {
        const written: number[] = []
        let failures = 1
        await writeDivided(batchOf(new Array(size).fill(0)), {
          write: async ({ entries }) => {
            if (failures-- > 0) throw new RangeError('for once')
            written.push(...entries.map(({ record }) => record.offset))
          },
          refuse: () => Promise.reject(new RangeError('not to be called')),
          goesOn: () => true
        })
        expect(written).toEqual(Array.from({ length: size }, (_, i) => i))
      })
    )
  })

  it('is left as it is when the target is away', async () => {
    const failing = writeDivided(batchOf([0, 0, 0]), {
      write: () => Promise.reject(new TransientSinkError('away')),
      refuse: () => Promise.reject(new RangeError('not to be called')),
      goesOn: () => true
    })
    await expect(failing).rejects.toThrow('away')
  })
})
