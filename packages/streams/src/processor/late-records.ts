import type { LateRecords } from '../graph/late-records.ts'
import type { StreamRecord } from '../graph/record.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { sender } from './sink.ts'
import type { ProcessorContext } from './task-context.ts'

/** A node that counts records as late. */
export interface LateNode {
  readonly name: string
  readonly late?: LateRecords
}

/**
 * Hands on what a node counts as late, once a record, however many of its windows were closed; those that were open have taken it
 * by then.
 */
export function withLateRecords(node: LateNode, context: ProcessorContext, processor: Processor): Processor {
  const { counts } = context.dropCounter(node.name)
  const watched = (process: Forward, input: number): Forward => {
    const handOn = lateRecords(node, context, input)
    if (handOn === undefined) return process
    return (record) => {
      const before = counts.late
      process(record)
      if (counts.late > before) handOn(record)
    }
  }
  const { inputs } = processor
  return {
    ...processor,
    process: watched(processor.process, 0),
    ...(inputs && { inputs: inputs.map((process, input) => process && watched(process, input)) })
  }
}

/** What becomes of a record of an input that is late; undefined if nothing does. */
export function lateRecords(
  { name, late }: LateNode,
  context: ProcessorContext,
  input: number
): ((record: StreamRecord) => void) | undefined {
  if (late === undefined) return undefined
  if (late.kind === 'topic') {
    const send = sender({ name, ...late.serdes[input] }, context.collector)
    return (record) => send(record, late.topic)
  }
  return (record) => {
    try {
      late.fn(record.value, record)
    } catch (cause) {
      throw new ProcessingError(name, record.origin, cause)
    }
  }
}
