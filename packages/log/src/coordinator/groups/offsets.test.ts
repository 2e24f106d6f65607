import { describe, expect, it } from 'vitest'
import { emptyGroup, type Group } from './group.ts'
import { expiredOffsets } from './offset-expiry.ts'
import { type CommittedOffset, type OffsetKey, OffsetTable } from './offset-table.ts'

function key(partition: number, groupId = 'g'): OffsetKey {
  return { groupId, topic: 't', partition }
}

function at(offset: number, recordOffset: number, commitTimestampMs = 0): CommittedOffset {
  return { offset, recordOffset, commitTimestampMs, leaderEpoch: -1, metadata: '', expireTimestampMs: -1 }
}

describe('offset table', () => {
  it('holds back what an open transaction commits', () => {
    const table = new OffsetTable()
    table.commit(key(0), at(1, 0))
    table.hold(7, key(0), at(5, 1))
    table.hold(7, key(1), at(6, 2))
    expect([table.get(key(0))?.offset, table.get(key(1))?.offset]).toEqual([1, undefined])
    expect([table.isHeld(key(0)), table.isHeld(key(1)), table.isHeld(key(2)), table.isHeld(key(0, 'h'))]).toEqual([
      true,
      true,
      false,
      false
    ])
    expect(table.partitionsOf('g')).toEqual(new Map([['t', [0, 1]]]))
    expect(table.endTransaction(7, true)).toBe(true)
    expect([table.get(key(0))?.offset, table.get(key(1))?.offset]).toEqual([5, 6])
    expect(table.isHeld(key(0))).toBe(false)
    expect(table.endTransaction(7, false)).toBe(false)
  })

  it('drops what an aborted transaction committed', () => {
    const table = new OffsetTable()
    table.commit(key(0), at(1, 0))
    table.hold(7, key(0), at(5, 1))
    table.endTransaction(7, false)
    expect(table.get(key(0))?.offset).toBe(1)
  })

  it('keeps the later record, whenever its transaction ends', () => {
    const table = new OffsetTable()
    table.hold(7, key(0), at(5, 1))
    table.hold(8, key(0), at(6, 2))
    table.commit(key(0), at(4, 0))
    table.endTransaction(8, true)
    table.endTransaction(7, true)
    expect(table.get(key(0))?.offset).toBe(6)
  })

  it('forgets groups of which nothing is left', () => {
    const table = new OffsetTable()
    table.commit(key(0), at(1, 0))
    table.remove(key(1))
    expect(table.groupIds()).toEqual(['g'])
    table.remove(key(0))
    expect(table.groupIds()).toEqual([])
  })
})

describe('offset retention', () => {
  const groupOf = (change: Partial<Group>): Group => Object.assign(emptyGroup('g', 0), change)
  const simple = undefined
  const members = groupOf({ state: 'Stable', protocolType: 'consumer' })
  const emptySince500 = groupOf({ protocolType: 'consumer', stateSinceMs: 500 })

  it.each([
    // who                              committed at   now   expired
    ['no group, young', simple, 100, 1_099, false],
    ['no group, old', simple, 100, 1_100, true],
    ['members', members, 100, 1_000_000, false],
    ['empty for a while', emptySince500, 100, 1_499, false],
    ['empty for long', emptySince500, 100, 1_500, true],
    ['empty for long, committed since', emptySince500, 900, 1_500, false]
  ])('%s', (_name, group, committedMs, nowMs, expired) => {
    const offsets = new OffsetTable()
    offsets.commit(key(0), at(1, 0, committedMs))
    const { keys, forgetGroup } = expiredOffsets('g', group, { offsets, nowMs, retentionMs: 1_000 })
    expect(keys).toEqual(expired ? [key(0)] : [])
    expect(forgetGroup).toBe(expired && group !== undefined)
  })

  it('leaves what a transaction may change', () => {
    const offsets = new OffsetTable()
    offsets.commit(key(0), at(1, 0))
    offsets.commit(key(1), at(1, 0))
    offsets.hold(7, key(0), at(2, 1))
    expect(expiredOffsets('g', emptyGroup('g', 0), { offsets, nowMs: 9_000, retentionMs: 1 })).toEqual({
      keys: [key(1)],
      forgetGroup: false
    })
  })

  it('lets an offset lapse when its client wanted it to', () => {
    const offsets = new OffsetTable()
    offsets.commit(key(0), { ...at(1, 0), expireTimestampMs: 50 })
    const keysAt = (nowMs: number) => expiredOffsets('g', undefined, { offsets, nowMs, retentionMs: 1_000_000 }).keys
    expect([keysAt(49), keysAt(50)]).toEqual([[], [key(0)]])
  })
})
