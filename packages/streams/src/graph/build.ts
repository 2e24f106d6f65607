import { makeNodes } from './nodes.ts'
import { insertRepartitions } from './repartition.ts'
import type { Step } from './step.ts'
import { findSubtopologies } from './subtopologies.ts'
import type { Topology } from './topology.ts'
import { validate } from './validate.ts'

/**
 * From the steps of a program to its topology:
 *
 * 1. a repartition before each key-based step whose key changed;
 * 2. names, and frozen nodes and stores;
 * 3. checks;
 * 4. sub-topologies.
 *
 * @throws TopologyError, NameTieError or MissingSerdeError, naming the step.
 */
export function buildTopology(name: string, steps: readonly Step[]): Topology {
  const planned = insertRepartitions(steps)
  const { nodes, stores, globalTables, feedback } = makeNodes(name, planned)
  validate({ name, nodes, stores, globalTables, feedback })
  return Object.freeze({
    name,
    nodes: Object.freeze(nodes),
    stores: Object.freeze(stores),
    globalTables: Object.freeze(globalTables),
    subtopologies: findSubtopologies(nodes)
  })
}
