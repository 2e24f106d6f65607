import type { LateRecords } from './late-records.ts'
import { completeSerdes, type Place } from './make-store.ts'
import type { Node } from './node.ts'
import type { OpenLateRecords } from './step.ts'

/**
 * What becomes of late records, with its serdes.
 * @throws MissingSerdeError
 */
export function makeLateRecords(late: OpenLateRecords, place: Place): LateRecords {
  if (late.kind === 'callback') return Object.freeze({ ...late })
  const serdes = late.serdes.map((one) => Object.freeze(completeSerdes(one, place)))
  return Object.freeze({ ...late, serdes: Object.freeze(serdes) })
}

/** How a node writes late records to a topic, if it does. */
export function lateRecordsOf(node: Node): Extract<LateRecords, { kind: 'topic' }> | undefined {
  if (node.kind !== 'windowed-aggregate' && node.kind !== 'stream-join' && node.kind !== 'suppress') return undefined
  return node.late?.kind === 'topic' ? node.late : undefined
}

/** The topic that a node writes late records to, if it does. */
export function lateTopicOf(node: Node): string | undefined {
  return lateRecordsOf(node)?.topic
}
