import { expect, it } from 'vitest'
import { memoryEnvironment } from '../../environment/memory-environment.ts'
import { StickyPartitioner } from './sticky-partitioner.ts'

it('stays with a partition for a batch of bytes, then goes on to any of them', () => {
  const partitioner = new StickyPartitioner(memoryEnvironment().random, 100)
  const chosen = Array.from({ length: 400 }, () => partitioner.partition('a', 4, 25))
  for (let batch = 0; batch < chosen.length; batch += 4) {
    expect(new Set(chosen.slice(batch, batch + 4)).size).toBe(1)
  }
  expect(new Set(chosen)).toEqual(new Set([0, 1, 2, 3]))
})

it('leaves a partition that is gone', () => {
  const partitioner = new StickyPartitioner(memoryEnvironment().random, 1_000_000)
  for (let turn = 0; turn < 20; turn++) partitioner.partition('a', 50, 1)
  expect(partitioner.partition('a', 1, 1)).toBe(0)
})
