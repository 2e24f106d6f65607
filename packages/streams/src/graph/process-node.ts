import type { NodeBase, StoreDefinition } from './node.ts'
import type { ProcessContext } from './process-context.ts'
import type { StreamRecord } from './record.ts'

/** A program's own processor, with stores and punctuation. */
export interface ProcessNode extends NodeBase {
  readonly kind: 'process'
  /** How the program called it. */
  readonly verb: 'process' | 'processValues'
  /** Whether records leave with keys of the partition they came from, so that nothing has to be repartitioned below. */
  readonly keepsKey: boolean
  /** Called once per task; what it returns is called per record. */
  readonly make: (context: ProcessContext) => RunningProcessor
  /** Shared with other processors of the topology that name the same ones. */
  readonly stores: readonly StoreDefinition[]
  /** Names of those of the stores that it only reads. */
  readonly readOnly?: readonly string[]
  /** Names of global tables' stores that it reads. */
  readonly globals: readonly string[]
}

/** A processor of one task. */
export interface RunningProcessor {
  /** A promise holds the task back until it settles: what it forwards until then is part of the same record. */
  process(record: StreamRecord): void | Promise<void>
  /** The task ends. Nothing can be forwarded or stored any more. */
  close?(): void
}
