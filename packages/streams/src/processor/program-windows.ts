import { NO_TIME_MS } from './operator-time.ts'
import type { ProgramNode } from './program-scope.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Windows and sessions of a program's own stores past their retention go, one flush after task time passed it: their last change is in the changelog then. Undefined
 * where there are none.
 */
export function windowExpiry({ stores }: ProgramNode, context: ProcessorContext): (() => void) | undefined {
  const windowStores = stores.filter(({ kind }) => kind === 'window' || kind === 'session')
  if (windowStores.length === 0) return undefined
  let flushedMs = NO_TIME_MS
  return () => {
    for (const { name, retentionMs = Number.POSITIVE_INFINITY } of windowStores) {
      const beforeMs = flushedMs - retentionMs + 1
      if (beforeMs > 0) context.stores.expire(name, beforeMs)
    }
    flushedMs = context.streamTimeMs()
  }
}
