import type { WindowDefinition } from '../graph/node.ts'
import type { Forward, Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/** A step that is told when nothing has come to it for a while. */
export interface IdleRequest {
  readonly idleMs: number
  readonly run: () => void
}

/** A step that is watched. */
export interface IdleWatch {
  /** Something has come. */
  touch(): void
}

/**
 * Closes the windows of a step to which no record has come for a while by the time of day: the step's time moves to where its newest window is closed,
 * as if a record had moved it, and stays there. So it is committed with the results, and a restart changes nothing about what is late.
 */
export function withIdleClosing(
  { idleMs }: { readonly idleMs?: number },
  context: ProcessorContext,
  processor: Processor
): Processor {
  const { idle, inputs } = processor
  if (idleMs === undefined || idle === undefined) return processor
  const watch = context.watchIdle({ idleMs, run: idle })
  const touching =
    (process: Forward): Forward =>
    (record) => {
      watch.touch()
      process(record)
    }
  return {
    ...processor,
    process: touching(processor.process),
    ...(inputs && { inputs: inputs.map((process) => process && touching(process)) })
  }
}

/**
 * The first time at which a window is closed.
 * @param placeMs Where it is in its store: its start, of a session its end.
 */
export function closedFromMs(window: WindowDefinition, placeMs: number): number {
  switch (window.kind) {
    case 'time':
      return placeMs + window.sizeMs + window.graceMs
    case 'sliding':
      return placeMs + window.differenceMs + window.graceMs + 1
    case 'session':
      return placeMs + window.gapMs + window.graceMs + 1
    case 'unlimited':
      return Number.POSITIVE_INFINITY
  }
}
