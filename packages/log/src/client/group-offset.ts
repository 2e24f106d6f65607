/** A group's position in one partition: the next offset to read. */
export interface GroupOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Leader epoch of the last record before the position; -1 (default) when it is not known. */
  readonly leaderEpoch?: number
  /** Whatever the group wants to keep beside the position, at most 4096 bytes. */
  readonly metadata?: string
}

/** As which member of which generation a consumer speaks: what fences the offsets of one that the group has moved on from. */
export interface GroupMetadata {
  readonly groupId: string
  /** -1 outside of a generation (partitions assigned by hand). */
  readonly generationId: number
  /** Empty outside of a generation. */
  readonly memberId: string
  readonly groupInstanceId?: string
}

/** A position as the group's coordinator keeps it. */
export interface CommittedOffset {
  readonly offset: number
  /** -1 when it was not given. */
  readonly leaderEpoch: number
  readonly metadata: string
}
