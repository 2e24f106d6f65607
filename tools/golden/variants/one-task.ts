import type { GoldenCase, GoldenNode } from '../case.ts'
import { interpret } from '../interpret.ts'

/**
 * Why Kafka Streams' test driver answers otherwise than Kafka Streams itself, and so than the runtime: the driver runs all sub-topologies as one task, whose
 * stream time records of any topic move. Undefined where nothing asks for the task's time, or there is one sub-topology.
 */
export function dependsOnOneTask({ topology }: GoldenCase): string | undefined {
  const asksForTime = ({ fn = '' }: GoldenNode) => fn === 'countsEachStreamTime' || fn === 'ticks'
  if (!topology.some(asksForTime)) return undefined
  return interpret(topology).subtopologies.length > 1
    ? 'stream time is that of one task for all sub-topologies, as only a test driver has it'
    : undefined
}
