import { MillraceError } from '@millrace/log'

/** A record in one of the runtime's own topics is not what the runtime writes. Another program wrote there; remove the record or use another log. */
export class ConnectorTopicError extends MillraceError {
  readonly code = 'CONNECTORS_TOPIC'
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(
    where: { readonly topic: string; readonly partition: number; readonly offset: number },
    problem: string,
    options?: ErrorOptions
  ) {
    super(
      `the record at offset ${where.offset} of ${where.topic}-${where.partition} was not written by Millrace: ${problem}`,
      options
    )
    this.topic = where.topic
    this.partition = where.partition
    this.offset = where.offset
  }
}

/** A connector has stopped for good: restart it when the cause is mended. Its last commit holds, nothing is lost. */
export class ConnectorFailedError extends MillraceError {
  readonly code = 'CONNECTORS_FAILED'
  readonly connector: string

  constructor(connector: string, cause: unknown) {
    super(`connector ${connector} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.connector = connector
  }
}

/** It failed for unknown reasons too often in too short a time. The last failure is the `cause`. */
export class CrashBudgetSpentError extends MillraceError {
  readonly code = 'CONNECTORS_CRASH_BUDGET_SPENT'
  readonly crashes: number
  readonly withinMs: number

  constructor(budget: { readonly crashes: number; readonly withinMs: number }, cause: unknown) {
    const last = cause instanceof Error ? cause.message : String(cause)
    super(
      `it failed ${budget.crashes + 1} times within ${budget.withinMs} ms and is not started again; last: ${last}`,
      {
        cause
      }
    )
    this.crashes = budget.crashes
    this.withinMs = budget.withinMs
  }
}

/**
 * So many records in a row could not be written, and no error said that it was the record: no more of them are put aside. Look whether the target is
 * there; a sink throws `PoisonousRecordError` for records that are bad. The last error is the `cause`.
 */
export class RefusalsInARowError extends MillraceError {
  readonly code = 'CONNECTORS_REFUSALS_IN_A_ROW'
  readonly records: number

  constructor(records: number, cause: unknown) {
    const last = cause instanceof Error ? cause.message : String(cause)
    super(
      `more than ${records} records in a row could not be written, so it is the target rather than the records (a sink says otherwise by PoisonousRecordError); last: ${last}`,
      { cause }
    )
    this.records = records
  }
}

/** A transform threw. `offset` is -1 for a record that is not on the log yet. Mend the transform, or set `onError: deadLetter(topic)`. */
export class TransformError extends MillraceError {
  readonly code = 'CONNECTORS_TRANSFORM'
  readonly topic: string
  readonly partition: number
  readonly offset: number

  constructor(where: { readonly topic: string; readonly partition: number; readonly offset: number }, cause: unknown) {
    const at =
      where.offset < 0 ? `a record for ${where.topic}` : `offset ${where.offset} of ${where.topic}-${where.partition}`
    super(`a transform failed on ${at}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.topic = where.topic
    this.partition = where.partition
    this.offset = where.offset
  }
}

/** A position that is no JSON, so that nobody could go on from it. Mend the source. */
export class PositionError extends MillraceError {
  readonly code = 'CONNECTORS_POSITION'
  readonly connector: string
  readonly split: string

  constructor(connector: string, split: string, options?: ErrorOptions) {
    super(
      `source ${connector} gave a position of split '${split}' that is no plain data: JSON cannot carry it`,
      options
    )
    this.connector = connector
    this.split = split
  }
}

/** There is no connector of this name. `known` are those there are. */
export class UnknownConnectorError extends MillraceError {
  readonly code = 'CONNECTORS_UNKNOWN'
  readonly connector: string
  readonly known: readonly string[]

  constructor(connector: string, known: readonly string[]) {
    super(
      `there is no connector '${connector}': ${known.length === 0 ? 'none was ever run on this log' : `there are ${known.join(', ')}`}`
    )
    this.connector = connector
    this.known = known
  }
}

/** No process runs the connector on this log now. Start it; what is wanted of it is remembered. */
export class ConnectorNotRunningError extends MillraceError {
  readonly code = 'CONNECTORS_NOT_RUNNING'
  readonly connector: string

  constructor(connector: string) {
    super(`connector ${connector} runs nowhere on this log: start it with 'millrace connect'`)
    this.connector = connector
  }
}

/** The connector puts no records aside. Give it `onError: deadLetter(topic)`. */
export class NoDeadLetterTopicError extends MillraceError {
  readonly code = 'CONNECTORS_NO_DEAD_LETTER_TOPIC'
  readonly connector: string

  constructor(connector: string) {
    super(`connector ${connector} has no dead letters: it runs without onError: deadLetter(topic)`)
    this.connector = connector
  }
}

/** Offsets can be edited only while nobody runs on them (KIP-875). Stop the connector first. */
export class ConnectorRunningError extends MillraceError {
  readonly code = 'CONNECTORS_RUNNING'
  readonly connector: string
  readonly state: string

  constructor(connector: string, state: string) {
    super(`connector ${connector} is ${state}: stop it before its offsets are edited`)
    this.connector = connector
    this.state = state
  }
}

/** The target keeps the offsets of this sink, and the sink does not know how to move them. Set them in the target by hand. */
export class OffsetsNotEditableError extends MillraceError {
  readonly code = 'CONNECTORS_OFFSETS_NOT_EDITABLE'
  readonly connector: string

  constructor(connector: string) {
    super(
      `the target of sink ${connector} keeps its offsets, and the sink has no moveOffsets(): set them in the target`
    )
    this.connector = connector
  }
}

/** What was given is no offset of this connector. The message says what one looks like. */
export class OffsetEditError extends MillraceError {
  readonly code = 'CONNECTORS_OFFSET_EDIT'
  readonly connector: string

  constructor(connector: string, problem: string) {
    super(`connector ${connector}: ${problem}`)
    this.connector = connector
  }
}

/** A process holds the log and does not listen for commands. Stop that process, or give it a control socket (runConnectors does by itself). */
export class NoControlSocketError extends MillraceError {
  readonly code = 'CONNECTORS_NO_CONTROL_SOCKET'
  readonly directory: string
  readonly holder: string

  constructor(directory: string, holder: string, options?: ErrorOptions) {
    super(
      `${directory} is in use by ${holder}, which runs no connectors or listens on no control socket: stop it, or ask it itself`,
      options
    )
    this.directory = directory
    this.holder = holder
  }
}

/** The process behind the control socket refused the command; `code` of what it threw there is `remoteCode`. */
export class ControlError extends MillraceError {
  readonly code = 'CONNECTORS_CONTROL'
  readonly remoteCode: string

  constructor(message: string, remoteCode: string, options?: ErrorOptions) {
    super(message, options)
    this.remoteCode = remoteCode
  }
}
