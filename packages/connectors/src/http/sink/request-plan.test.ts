import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SinkRecord } from '../../sink.ts'
import { identify, type PlanLimits, planRequests } from './request-plan.ts'

const record = (partition: number, offset: number, key: number | null): SinkRecord => ({
  topic: 'in',
  partition,
  offset,
  key: key === null ? null : Buffer.from(`key-${key}`),
  value: Buffer.alloc(10),
  timestamp: 0,
  headers: []
})
const batches = fc
  .array(fc.tuple(fc.nat(2), fc.option(fc.nat(4)), fc.nat(1)), { maxLength: 40 })
  // Some offsets come twice: transforms made several records of one.
  .map((made) => made.map(([partition, key, more], i) => record(partition, i - (i > 0 ? more : 0), key)))
const limits = fc.record({
  batchRecords: fc.integer({ min: 1, max: 7 }),
  batchBytes: fc.integer({ min: 1, max: 60 }),
  keyLanes: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })
})
const everywhere = (given: Omit<PlanLimits, 'target'>): PlanLimits => ({ ...given, target: () => '' })

describe('the plan of requests', () => {
  it('takes every record once, in the order of its lane, within the limits', () => {
    const property = fc.property(batches, limits, (batch, given) => {
      const records = identify(batch)
      expect(new Set(records.map(({ id }) => id)).size).toBe(batch.length)
      const lanes = planRequests(records, everywhere(given), new Map())
      const planned = lanes.flat(2)
      expect(planned.toSorted((a, b) => records.indexOf(a) - records.indexOf(b))).toEqual(records)
      for (const lane of lanes) {
        const order = lane.flat().map((one) => records.indexOf(one))
        expect(order).toEqual(order.toSorted((a, b) => a - b))
      }
      for (const group of lanes.flat()) {
        expect(new Set(group.map((one) => one.record.partition)).size).toBe(1)
        expect(group.length).toBeLessThanOrEqual(given.batchRecords)
        if (group.length > 1) expect(group.length * 10).toBeLessThanOrEqual(given.batchBytes)
      }
      // One key, or one partition, is in one lane.
      const laneOf = new Map<string, number>()
      for (const [i, lane] of lanes.entries()) {
        for (const { record: one } of lane.flat()) {
          const ordered = given.keyLanes === undefined ? `${one.partition}` : `${one.partition} ${one.key}`
          expect(laneOf.get(ordered) ?? i).toBe(i)
          laneOf.set(ordered, i)
        }
      }
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('repeats requests without an outcome as they were, whatever is done and whatever has come since', () => {
    const property = fc.property(batches, limits, limits, fc.nat(), fc.nat(), (batch, before, after, cut, done) => {
      const records = identify(batch)
      const first = planRequests(records.slice(0, cut % (records.length + 1)), everywhere(before), new Map()).flat()
      const taken = new Set(first.filter((_, i) => (i + done) % 3 === 0).flatMap((group) => group.map(({ id }) => id)))
      const sent = new Map(
        first.filter(([one]) => !taken.has(one.id)).map((group) => [group[0].id, group.map(({ id }) => id)])
      )
      // Lanes are the same in one run of a sink.
      const again = planRequests(
        records.filter(({ id }) => !taken.has(id)),
        everywhere({ ...after, keyLanes: before.keyLanes }),
        sent
      ).flat()
      const planned = new Map(again.map((group) => [group[0].id, group.map(({ id }) => id)]))
      for (const [id, ids] of sent) expect(planned.get(id)).toEqual(ids)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('keeps targets apart', () => {
    const records = identify([record(0, 0, 1), record(0, 1, 1), record(0, 2, 2), record(0, 3, 1)])
    const groups = planRequests(
      records,
      { batchRecords: 10, batchBytes: 1000, keyLanes: undefined, target: ({ key }) => String(key) },
      new Map()
    ).flat()
    expect(groups.map((group) => group.map(({ record: one }) => one.offset))).toEqual([[0, 1], [2], [3]])
  })
})
