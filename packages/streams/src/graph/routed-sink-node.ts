import type { Serde } from '../serde/serde.ts'
import type { NodeBase, SinkNode } from './node.ts'
import type { StreamRecord } from './record.ts'

/** Writes each record to the topic that a function says. */
export interface RoutedSinkNode extends NodeBase {
  readonly kind: 'routed-sink'
  readonly route: (value: unknown, record: StreamRecord) => string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly partitioner?: NonNullable<SinkNode['partitioner']>
}
