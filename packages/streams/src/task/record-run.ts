import type { RecordOrigin } from '../graph/record.ts'
import type { DropCounter } from '../processor/dropped-records.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { RecordChoice } from './record-choice.ts'
import type { Stage } from './stage.ts'
import type { StreamTime } from './stream-time.ts'
import type { Waits } from './waits.ts'

/** What the process-record spine works on: one task's parts. */
export interface RecordRun {
  /** One per input partition, in the order of the sub-topology's sources. */
  readonly queues: readonly PartitionQueue[]
  /** Which of the queues is next. */
  readonly choice: RecordChoice
  /** Makes a queue show its head. */
  readonly show: (queue: PartitionQueue) => void
  readonly time: StreamTime
  readonly stage: Stage
  /** What of the current record is not done yet. */
  readonly waits: Waits
  readonly dropCounter: (node: string) => DropCounter
  /** Applies the error policy to the record that the queue last showed: returns when the task goes on without it, else throws. */
  readonly recover: (error: unknown, queue: PartitionQueue, origin: RecordOrigin) => void
}
