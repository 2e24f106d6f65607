import { describe, expect, it } from 'vitest'
import { RecentChanges } from './recent-changes.ts'
import { parseVisibility } from './visibility.ts'

const MANY = 300_000
const key = (number: number) => Buffer.from(`{"id":${number}}`)

/** As many changes of a table as a stream brings that is far behind, each in a transaction of its own. */
function streamed(recent: RecentChanges): void {
  for (let xid = 1; xid <= MANY; xid++) {
    recent.note('t', key(xid), { xid })
    recent.transaction(xid)
  }
}

describe('changes that a snapshot may not see', () => {
  it('are all remembered while nothing is known of what it sees', () => {
    const recent = new RecentChanges()
    recent.record()
    streamed(recent)
    expect(recent.changeOf('t', key(1))).toEqual({ xid: 1 })
    expect(recent.unseen.length).toBe(MANY)
  })

  it('are forgotten, as far as the oldest chunk that waits sees them, before they fill the memory', () => {
    const recent = new RecentChanges()
    recent.record()
    recent.trimBy(() => parseVisibility(`${MANY + 1}:${MANY + 1}:`))
    streamed(recent)
    expect(recent.changeOf('t', key(1))).toBeUndefined()
    expect(recent.unseen.length).toBeLessThan(5000)
  })

  it('are kept as far as that chunk does not see them', () => {
    const recent = new RecentChanges()
    recent.record()
    recent.trimBy(() => parseVisibility(`1:${MANY - 10}:7`))
    streamed(recent)
    expect(recent.changeOf('t', key(6))).toBeUndefined()
    for (const xid of [7, MANY - 10, MANY]) expect(recent.changeOf('t', key(xid))).toEqual({ xid })
    expect(recent.unseen).toEqual(expect.arrayContaining([7, MANY - 10, MANY]))
  })
})
