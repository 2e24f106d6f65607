import { noChangelog } from '../state/store-meta.ts'

/** What a store wrote down of itself at its last commit. */
export interface StoreIdentity {
  readonly clusterId: string
  readonly topicId: string
  /** Next offset of the changelog that the store has not seen. */
  readonly offset: number
  /** Leader epoch of the last changelog record it saw; -1 when unknown. */
  readonly leaderEpoch: number
  readonly committedAtMs: number
}

/** The changelog as it is now. */
export interface ChangelogFacts {
  readonly clusterId: string
  readonly topicId: string
  readonly startOffset: number
  /** End of the log, open transactions included. */
  readonly endOffset: number
  /** `delete.retention.ms` of the topic: after it, a tombstone the store missed may be gone. */
  readonly deleteRetentionMs: number
  readonly nowMs: number
}

/** Whether a store goes on from its own offset, or is rebuilt from the changelog's start, and why. */
export type StoreVerdict =
  | { readonly kind: 'resume'; readonly fromOffset: number }
  | { readonly kind: 'rebuild'; readonly fromOffset: number; readonly reason: string }

/**
 * Decides whether the state on disk belongs to this changelog and can catch up with it. Pure.
 *
 * A store is rebuilt when it is another cluster's or another topic's, when its offset lies outside the changelog, or when it is
 * older than `delete.retention.ms`: compaction may have removed tombstones that it never saw. A new store is filled from the start.
 */
export function judgeStore(identity: StoreIdentity | undefined, facts: ChangelogFacts): StoreVerdict {
  const rebuild = (reason: string): StoreVerdict => ({ kind: 'rebuild', fromOffset: facts.startOffset, reason })
  if (!identity) return { kind: 'resume', fromOffset: facts.startOffset }
  if (identity.clusterId !== facts.clusterId) {
    return rebuild(`its state is of cluster ${identity.clusterId}, this is ${facts.clusterId}`)
  }
  if (identity.topicId === noChangelog) return rebuild('it was kept without a changelog until now')
  if (identity.topicId !== facts.topicId) return rebuild('its changelog was deleted and made anew')
  if (identity.offset > facts.endOffset) {
    return rebuild(`it is at offset ${identity.offset}, past the changelog's end ${facts.endOffset}`)
  }
  if (identity.offset < facts.startOffset) {
    return rebuild(`it is at offset ${identity.offset}, before the changelog's start ${facts.startOffset}`)
  }
  const ageMs = facts.nowMs - identity.committedAtMs
  if (identity.offset < facts.endOffset && ageMs > facts.deleteRetentionMs) {
    return rebuild(`its last commit is ${ageMs} ms old, more than delete.retention.ms (${facts.deleteRetentionMs})`)
  }
  return { kind: 'resume', fromOffset: identity.offset }
}
