import type { GroupMetadata, GroupOffset, Producer } from '@millrace/log'
import type { ChangeloggedTask, StoreChange } from '../changelog/changelog-writer.ts'
import type { BlobStore } from '../serde/blob-store.ts'

/** A task as the commit sees it. */
export interface CommittableTask extends ChangeloggedTask {
  /** Sends what waits for the commit through the graph. */
  flush(): void | Promise<void>
  /** Next offset to read of each input partition, with the task's time state as metadata. */
  consumedOffsets(): readonly GroupOffset[]
  /** The time state as it will be committed. */
  timeState(): Buffer
}

/** What one commit covers: all tasks of a thread and the producer they share. */
export interface CommitUnit {
  readonly tasks: readonly CommittableTask[]
  readonly producer: Producer
  /** Stores that records of this transaction may refer to. */
  readonly besideLog: readonly BlobStore[]
  /** Membership in the consumer group: fences a thread that lost its tasks. */
  group(): GroupMetadata
  nowMs(): number
  /** Whether someone watches the store's committed changes. */
  watched(store: string): boolean
  publish(task: CommittableTask, changes: readonly StoreChange[]): void
}
