import { UsageError } from '@millrace/log'
import { buildTopology } from '../graph/build.ts'
import type { Topology } from '../graph/topology.ts'
import { Draft } from './draft.ts'
import { knownOptions } from './known-options.ts'
import { requireFunction } from './mistakes.ts'
import { StreamsBuilder } from './streams-builder.ts'
import { refusingUnknownOptions } from './unknown-options.ts'

/**
 * Defines a stream program: `define` writes its steps down with the builder, and what comes back is frozen data, to run with `runStreams`,
 * to test, to describe. Nothing runs and nothing is opened here.
 *
 * @param name The application: prefix of its internal topics, its consumer group, its state directory. Same rules as a topic's name.
 * @param define Called once, synchronously.
 * @throws TopologyError, NameTieError, MissingSerdeError, DurationError: the program is wrong, and where.
 */
export function defineTopology(name: string, define: (builder: StreamsBuilder) => void): Topology {
  if (typeof name !== 'string')
    throw new UsageError("a topology has a name, which is its first argument: defineTopology('orders', (b) => …)")
  requireFunction(`topology '${name}'`, define)
  const draft = new Draft(name)
  const returned: unknown = define(refusingUnknownOptions(new StreamsBuilder(draft), name, knownOptions.builder))
  const steps = draft.close()
  if (returned instanceof Promise) {
    throw new UsageError(`topology '${name}': define it synchronously: steps written after an await would be missing`)
  }
  return buildTopology(name, steps)
}
