import { MillraceError } from '@millrace/log'

/** What a validator found wrong, and where. */
export interface SchemaIssue {
  /** From the value's root: `$.user.emails[0]`. */
  readonly path: string
  readonly message: string
}

const shownIssues = 5

/** A value was read, and is not what its schema says. The deserialization policy decides about it. */
export class SchemaError extends MillraceError {
  readonly code = 'STREAMS_SCHEMA'
  /** The serde's name, with the validator's vendor. */
  readonly serde: string
  readonly issues: readonly SchemaIssue[]

  constructor(serde: string, issues: readonly SchemaIssue[]) {
    const shown = issues.slice(0, shownIssues).map(({ path, message }) => `${path}: ${message}`)
    const more = issues.length > shownIssues ? `; and ${issues.length - shownIssues} more` : ''
    super(`${serde} refuses the value: ${shown.join('; ')}${more}`)
    this.serde = serde
    this.issues = issues
  }
}
