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
  /** Which part of the value, e.g. `$[1]` or `$.shop.city`; undefined: all of it. */
  readonly path: string | undefined

  constructor(
    details: { serde: string; operation: 'encode' | 'decode'; problem: string; node?: string; path?: string },
    options?: ErrorOptions
  ) {
    const where = details.node === undefined ? '' : ` in node '${details.node}'`
    const part = details.path === undefined ? '' : ` ${details.path}:`
    super(`${details.serde} cannot ${details.operation}${where}:${part} ${details.problem}`, options)
    this.serde = details.serde
    this.operation = details.operation
    this.node = details.node
    this.path = details.path
  }
}

/** The error of a serde made of others for what one of them said of a part: `[1]` or `.city`. */
export function withinPart(serde: string, part: string, cause: unknown): SerdeError {
  const inner = cause instanceof SerdeError ? cause : undefined
  const path = `$${part}${inner?.path?.slice(1) ?? ''}`
  // What names a path is made of others itself: of its message only what the innermost said is news.
  const said = cause instanceof Error ? cause.message : String(cause)
  const problem = inner?.path === undefined ? said : said.slice(said.indexOf(`${inner.path}: `) + inner.path.length + 2)
  return new SerdeError({ serde, operation: 'encode', path, problem }, { cause })
}

/** For what slipped past the types. @returns an error that says what came and what is written. */
export function wrongType(serde: string, value: unknown, needed: string): SerdeError {
  const problem = `a value of type ${value === null ? 'null' : typeof value} is no ${needed}`
  return new SerdeError({ serde, operation: 'encode', problem })
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
