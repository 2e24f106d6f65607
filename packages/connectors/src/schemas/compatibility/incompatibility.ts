/** One reason why data written with one schema cannot be read with another. */
export interface Incompatibility {
  /** As Avro's `SchemaIncompatibilityType` (`READER_FIELD_MISSING_DEFAULT_VALUE`) or Confluent's JSON schema differences name it. */
  readonly type: string
  /** Where in the reader's schema: a JSON pointer, `/fields/2/type`, `/` at the root; JSON schemas' begin with `#`. */
  readonly path: string
  /** What is wrong there, in a sentence without a full stop. */
  readonly message: string
}

/** The line that Confluent's REST API gives for it, which clients show as it is. */
export function incompatibilityText({ type, path, message }: Incompatibility): string {
  return `{errorType:'${type}', description:'at path '${path}': ${message}'}`
}

/** Reads a line of a registry's answer, ours or Confluent's; a line that says no type is of type `UNKNOWN`. */
export function parseIncompatibility(text: string): Incompatibility {
  const type = /errorType:\s*['"](\w+)['"]/.exec(text)?.[1]
  const path = /path '([^']*)'/.exec(text)?.[1]
  const ours = /description:'at path '[^']*': (.*)'\}$/s.exec(text)?.[1]
  return { type: type ?? 'UNKNOWN', path: path ?? '', message: ours ?? text }
}
