import { describe, expect, it } from 'vitest'
import { ClosingRanges } from './closing-ranges.ts'
import { OperatorTime } from './operator-time.ts'

function rangesOf(
  window: { sizeMs: number; advanceMs: number; graceMs: number },
  retentionMs = Number.POSITIVE_INFINITY
) {
  const time = new OperatorTime('node')
  const ranges = new ClosingRanges({ kind: 'time', ...window }, time, retentionMs)
  const advanceTo = (observedMs: number): void => {
    time.observedMs = observedMs
    ranges.advance()
  }
  return { time, ranges, advanceTo }
}

const tumbling10 = { sizeMs: 10, advanceMs: 10, graceMs: 5 }

describe('windows that closed', () => {
  it('are those that end at or before the time less the grace', () => {
    const { ranges, advanceTo } = rangesOf(tumbling10)
    advanceTo(14)
    expect(ranges.take()).toEqual([])
    advanceTo(15)
    expect(ranges.take()).toEqual([{ fromMs: 0, toMs: 10 }])
    advanceTo(24)
    expect(ranges.take()).toEqual([])
    advanceTo(47)
    expect(ranges.take()).toEqual([{ fromMs: 10, toMs: 40 }])
  })

  it('come in one range however many records moved the time', () => {
    const { ranges, advanceTo } = rangesOf(tumbling10)
    for (let ms = 0; ms <= 47; ms++) advanceTo(ms)
    expect(ranges.take()).toEqual([{ fromMs: 0, toMs: 40 }])
  })

  it('are counted by their advance when they overlap', () => {
    const { ranges, advanceTo } = rangesOf({ sizeMs: 20, advanceMs: 10, graceMs: 0 })
    advanceTo(20)
    expect(ranges.take()).toEqual([{ fromMs: 0, toMs: 10 }])
    advanceTo(45)
    expect(ranges.take()).toEqual([{ fromMs: 10, toMs: 30 }])
  })

  it('go on where the committed time left off', () => {
    const { time, ranges, advanceTo } = rangesOf(tumbling10)
    time.closedMs = 20
    advanceTo(35)
    expect(ranges.take()).toEqual([{ fromMs: 20, toMs: 30 }])
  })

  it('are gone without a result once they are older than the retention', () => {
    const { ranges, advanceTo } = rangesOf(tumbling10, 15)
    advanceTo(3)
    advanceTo(47) // The newest window starts at 40: of those that close now only what starts at 25 or later is left.
    expect(ranges.take()).toEqual([{ fromMs: 30, toMs: 40 }])
  })

  it('are taken back with the record that closed them', () => {
    const { time, ranges, advanceTo } = rangesOf(tumbling10)
    advanceTo(16)
    time.mark()
    ranges.mark()
    advanceTo(60)
    time.rollback()
    ranges.rollback()
    expect(ranges.take()).toEqual([{ fromMs: 0, toMs: 10 }])
    advanceTo(26)
    expect(ranges.take()).toEqual([{ fromMs: 10, toMs: 20 }])
  })
})
