import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TimeHeap } from './time-heap.ts'

function drained(heap: TimeHeap<string>): string[] {
  const taken: string[] = []
  for (let item = heap.take(); item !== undefined; item = heap.take()) taken.push(item)
  return taken
}

function heapOf(items: readonly string[]): TimeHeap<string> {
  const heap = new TimeHeap<string>((item) => Number(item.slice(1)))
  for (const item of items) heap.add(item)
  return heap
}

it('gives items by time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const taken = drained(heapOf(times.map((time) => `x${time}`))).map((item) => Number(item.slice(1)))
      expect(taken).toEqual(times.toSorted((one, other) => one - other))
    })
  )
})

it('gives equal ones in the order of the heap of java.util', () => {
  // As `new PriorityQueue<>(comparingInt(item -> item.charAt(1) - '0'))` gave them, on OpenJDK 17.
  expect(drained(heapOf(['a5', 'b5', 'c5', 'd5', 'e5']))).toEqual(JAVA_OF_EQUAL)
  expect(drained(heapOf(['a3', 'b1', 'c3', 'd1', 'e3', 'f1', 'g2', 'h1']))).toEqual(JAVA_OF_MIXED)
})

const JAVA_OF_EQUAL = ['a5', 'e5', 'd5', 'c5', 'b5']
const JAVA_OF_MIXED = ['b1', 'd1', 'h1', 'f1', 'g2', 'a3', 'c3', 'e3']
