import { UsageError } from '@millrace/log'
import type { Step } from '../graph/step.ts'
import type { Serde } from '../serde/serde.ts'
import { refuseMistakes } from './mistakes.ts'

/** The steps of a topology while the program writes them down. */
export class Draft {
  readonly topology: string
  readonly #steps: Step[] = []
  #closed = false

  constructor(topology: string) {
    this.topology = topology
  }

  /**
   * Notes a step.
   * @throws UsageError when the topology is defined already, the step reads one of another topology, or was given what it cannot use.
   */
  add(step: Step): Step {
    if (this.#closed) {
      throw new UsageError(
        `topology '${this.topology}' is defined already: add steps inside the function given to defineTopology`
      )
    }
    if (step.parents.some((parent) => !this.#steps.includes(parent))) {
      throw new UsageError(
        `topology '${this.topology}': '${step.verb}' reads a stream of another topology: connect the two by a topic`
      )
    }
    refuseMistakes(this.topology, step)
    this.#steps.push(step)
    return step
  }

  /** The first step that is like this. */
  find(isLike: (step: Step) => boolean): Step | undefined {
    return this.#steps.find(isLike)
  }

  /** The steps in the order they were written; none can be added from now on. */
  close(): readonly Step[] {
    this.#closed = true
    return this.#steps
  }
}

/** Where a fluent object stands: the step it continues, and the serdes known there. */
export interface Point {
  readonly draft: Draft
  readonly step: Step
  /** Undefined from where a step changed the key's type until one gives a serde. */
  readonly key: Serde<unknown> | undefined
  /** Undefined from where a step changed the value's type until one gives a serde. */
  readonly value: Serde<unknown> | undefined
}
