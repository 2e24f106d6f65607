import { MillraceError } from '@millrace/log'

/** The topology cannot run as defined. `node` is the step at fault, where there is one. Thrown by `defineTopology`, before anything starts. */
export class TopologyError extends MillraceError {
  readonly code = 'STREAMS_TOPOLOGY'
  readonly topology: string
  readonly node: string | undefined

  constructor(details: { topology: string; node?: string; problem: string }) {
    const where = details.node === undefined ? '' : `, node '${details.node}'`
    super(`topology '${details.topology}'${where}: ${details.problem}`)
    this.topology = details.topology
    this.node = details.node
  }
}

/**
 * Two stores, two internal topics or two nodes would have one name. Names come from what a step is and not from a counter, so that an
 * edit elsewhere renames nothing; where that does not tell two apart, the program has to.
 */
export class NameTieError extends MillraceError {
  readonly code = 'STREAMS_NAME_TIE'
  readonly topology: string
  readonly tied: 'store' | 'internal topic' | 'node'
  readonly tiedName: string

  constructor(details: { topology: string; tied: 'store' | 'internal topic' | 'node'; name: string; remedy: string }) {
    super(`topology '${details.topology}': two steps make the ${details.tied} '${details.name}': ${details.remedy}`)
    this.topology = details.topology
    this.tied = details.tied
    this.tiedName = details.name
  }
}

/** A step has to write keys or values and was not told how: the step before it changed their type. `node` names it. */
export class MissingSerdeError extends MillraceError {
  readonly code = 'STREAMS_MISSING_SERDE'
  readonly topology: string
  readonly node: string
  readonly missing: 'key' | 'value'

  constructor(details: { topology: string; node: string; missing: 'key' | 'value' }) {
    const { topology, node, missing } = details
    super(`topology '${topology}', node '${node}': no ${missing} serde: give one, e.g. { ${missing}: json() }`)
    this.topology = topology
    this.node = node
    this.missing = missing
  }
}
