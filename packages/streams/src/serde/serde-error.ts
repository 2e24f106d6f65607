import { MillraceError } from '@millrace/log'

/**
 * A serde could not write a value or read bytes. The deserialization policy decides about bytes that came in; a value that cannot be
 * written is the program's mistake.
 */
export class SerdeError extends MillraceError {
  readonly code = 'STREAMS_SERDE'
  /** The serde's name, e.g. `json`. */
  readonly serde: string
  readonly operation: 'encode' | 'decode'
  /** Where the serde was used, when it knows: the node's name. */
  readonly node: string | undefined

  constructor(
    details: { serde: string; operation: 'encode' | 'decode'; problem: string; node?: string },
    options?: ErrorOptions
  ) {
    const where = details.node === undefined ? '' : ` in node '${details.node}'`
    super(`${details.serde} cannot ${details.operation}${where}: ${details.problem}`, options)
    this.serde = details.serde
    this.operation = details.operation
    this.node = details.node
  }
}

/**
 * Checks that a field has the one length its format allows.
 * @throws SerdeError saying what came.
 */
export function expectLength(serde: string, lengthBytes: number, expectedBytes: number): void {
  if (lengthBytes !== expectedBytes) {
    const problem = `expected ${expectedBytes} bytes, got ${lengthBytes}: was it written by another serde?`
    throw new SerdeError({ serde, operation: 'decode', problem })
  }
}
