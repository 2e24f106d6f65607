import { keptRecord, type OutgoingRecord, type RecordCollector } from '../processor/record-collector.ts'
import type { StageParticipant } from '../processor/task-context.ts'

/**
 * Keeps what one record does until it is known whether it stays: sends wait for `release`, stores and operators undo on `rollback`. Only
 * needed where a policy may go on after an error; where the task fails instead, {@link unstaged} costs nothing.
 */
export interface Stage {
  /** Where the graph sends to. */
  readonly collector: RecordCollector
  join(participant: StageParticipant): void
  mark(): void
  rollback(): void
  release(): void
}

/** A stage for tasks that never go on after an error: an abort of the whole transaction undoes everything. */
export function unstaged(collector: RecordCollector): Stage {
  return { collector, join() {}, mark() {}, rollback() {}, release() {} }
}

/** A stage that can undo one record. */
export function staged(collector: RecordCollector): Stage {
  const participants: StageParticipant[] = []
  let sends: OutgoingRecord[] = []
  return {
    collector: {
      send: (record) => {
        sends.push(keptRecord(record))
      },
      partitionCount: (topic) => collector.partitionCount(topic),
      lookUp: (topic) => collector.lookUp(topic)
    },
    join: (participant) => {
      participants.push(participant)
    },
    mark: () => {
      for (const participant of participants) participant.mark()
    },
    rollback: () => {
      sends = []
      for (const participant of participants) participant.rollback()
    },
    release: () => {
      if (sends.length === 0) return
      const released = sends
      sends = []
      for (const record of released) collector.send(record)
    }
  }
}
