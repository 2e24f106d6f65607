import { expect, it } from 'vitest'
import { coordinatorPartition } from './coordinator-partition.ts'

// The hashes are Java's `"...".hashCode()`.
it.each([
  ['', 0],
  ['a', 97],
  ['hello', 99162322],
  ['group-1', 293427299],
  ['übung', 235762760]
])('hashes %j as Java does', (id, hash) => {
  expect(coordinatorPartition(id, 2 ** 31)).toBe(Math.abs(hash))
})

it('takes 0 for the hash that has no absolute value', () => {
  // "polygenelubricants".hashCode() == Integer.MIN_VALUE
  expect(coordinatorPartition('polygenelubricants', 50)).toBe(0)
})

it('takes the remainder by the number of partitions', () => {
  expect(coordinatorPartition('hello', 50)).toBe(99162322 % 50)
})
