/** A task: one sub-topology and one partition number. Written `<subtopology>_<partition>`, as Kafka Streams does. */
export interface TaskId {
  readonly subtopology: number
  readonly partition: number
}

/** The id as text, also the name of the task's state directory. */
export function taskName(id: TaskId): string {
  return `${id.subtopology}_${id.partition}`
}
