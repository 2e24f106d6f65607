import { MillraceError } from '@millrace/log'

/** A topic that the topology reads does not exist, and the application was told not to make it. */
export class MissingSourceTopicError extends MillraceError {
  readonly code = 'STREAMS_MISSING_SOURCE_TOPIC'
  readonly topic: string

  constructor(topic: string) {
    super(`topic ${topic} does not exist: create it first, or pass createTopics: { partitions } to runStreams`)
    this.topic = topic
  }
}

/** A topic that a running application reads or writes is gone. It has stopped at its last commit. */
export class DeletedTopicError extends MillraceError {
  readonly code = 'STREAMS_DELETED_TOPIC'
  readonly topic: string

  constructor(application: string, topic: string) {
    super(
      `topic ${topic}, which application ${application} needs, was deleted while it ran: close the application before its topics go. ` +
        'What was processed since the last commit is not done; make the topic anew, or run a topology without it'
    )
    this.topic = topic
  }
}

/** Topics that are joined or merged by key must have the same number of partitions, and do not. */
export class CopartitionError extends MillraceError {
  readonly code = 'STREAMS_COPARTITION'
  /** Partitions per topic. */
  readonly partitions: ReadonlyMap<string, number>

  constructor(partitions: ReadonlyMap<string, number>) {
    const counts = [...partitions].map(([topic, count]) => `${topic} has ${count}`).join(', ')
    super(`topics read together by key need the same number of partitions: ${counts}. Repartition one of them`)
    this.partitions = partitions
  }
}

/** An internal topic exists, with another number of partitions than the topology needs now. */
export class InternalTopicMismatchError extends MillraceError {
  readonly code = 'STREAMS_INTERNAL_TOPIC_MISMATCH'
  readonly topic: string

  constructor(topic: string, actual: number, needed: number) {
    super(
      `internal topic ${topic} has ${actual} partitions and the topology needs ${needed}: ` +
        'its source topics changed; run the new topology under another name, or delete the topic and its state'
    )
    this.topic = topic
  }
}

/** The application stopped because of an error; `cause` is that error. */
export class ApplicationFailedError extends MillraceError {
  readonly code = 'STREAMS_APPLICATION_FAILED'

  constructor(application: string, cause: unknown) {
    super(
      `application ${application} stopped at its last commit: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause }
    )
  }
}

/** A source with `reset: 'none'` has no committed offset to begin from: the group is new, or its offsets have expired or were reset. */
export class NoCommittedOffsetError extends MillraceError {
  readonly code = 'STREAMS_NO_COMMITTED_OFFSET'
  readonly topic: string
  readonly partition: number

  constructor(application: string, { topic, partition }: { readonly topic: string; readonly partition: number }) {
    super(
      `application ${application} has no committed offset for ${topic}-${partition}, whose source says reset: 'none': ` +
        'commit one, or let the source begin at an end of the topic'
    )
    this.topic = topic
    this.partition = partition
  }
}

/** The application runs somewhere, so it cannot be reset: members of its group would go on from what they have in memory. `group` is its name. */
export class ApplicationRunningError extends MillraceError {
  readonly code = 'STREAMS_APPLICATION_RUNNING'
  readonly group: string
  readonly members: number

  constructor(group: string, members: number, options?: ErrorOptions) {
    const who = members === 0 ? 'has a member' : `has ${members} ${members === 1 ? 'member' : 'members'}`
    super(`application ${group} is running: its group ${who}; close all instances first, then reset`, options)
    this.group = group
    this.members = members
  }
}

/** A store name that the topology does not have, or that the application cannot query. */
export class UnknownStoreError extends MillraceError {
  readonly code = 'STREAMS_UNKNOWN_STORE'
  readonly store: string

  constructor(store: string, known: readonly string[]) {
    super(`no store ${store} here; the topology has ${known.length === 0 ? 'none' : known.join(', ')}`)
    this.store = store
  }
}

/** A topic that the topology writes to does not exist. */
export class UnknownSinkTopicError extends MillraceError {
  readonly code = 'STREAMS_UNKNOWN_SINK_TOPIC'
  readonly topic: string

  constructor(topic: string) {
    super(`topic ${topic}, which the topology writes to, does not exist: create it first, or pass createTopics`)
    this.topic = topic
  }
}
