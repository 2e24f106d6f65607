import { describe, expect, it } from 'vitest'
import { type ChangelogFacts, judgeStore, type StoreIdentity } from './store-verdict.ts'

const facts: ChangelogFacts = {
  clusterId: 'c1',
  topicId: 't1',
  startOffset: 10,
  endOffset: 100,
  deleteRetentionMs: 1000,
  nowMs: 50_000
}
const identity: StoreIdentity = { clusterId: 'c1', topicId: 't1', offset: 90, leaderEpoch: 3, committedAtMs: 49_500 }

describe('judgeStore', () => {
  it('goes on from the offset of the last commit', () => {
    expect(judgeStore(identity, facts)).toEqual({ kind: 'resume', fromOffset: 90 })
  })

  it('fills a new store from the start', () => {
    expect(judgeStore(undefined, facts)).toEqual({ kind: 'resume', fromOffset: 10 })
  })

  it.each([
    ['another cluster', { clusterId: 'c2' }, /cluster c2/],
    ['a changelog made anew', { topicId: 't0' }, /made anew/],
    ['an offset past the end', { offset: 101 }, /past the changelog's end 100/],
    ['an offset before the start', { offset: 9 }, /before the changelog's start 10/],
    ['an age past delete.retention.ms', { committedAtMs: 48_000 }, /delete\.retention\.ms/]
  ])('rebuilds for %s', (_, change, reason) => {
    const verdict = judgeStore({ ...identity, ...change }, facts)
    expect(verdict.kind).toBe('rebuild')
    expect(verdict.fromOffset).toBe(10)
    if (verdict.kind === 'rebuild') expect(verdict.reason).toMatch(reason)
  })

  it('does not mind its age when it has seen the whole changelog', () => {
    expect(judgeStore({ ...identity, offset: 100, committedAtMs: 0 }, facts).kind).toBe('resume')
  })
})
