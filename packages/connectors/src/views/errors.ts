import { MillraceError } from '@millrace/log'

/**
 * A change has no key, so that nothing says which row of the view it is about: the table has no primary key, or the topic is not one of change
 * data capture. The record's place is in the error of the stream that this one is the cause of.
 */
export class KeylessChangeError extends MillraceError {
  readonly code = 'CONNECTORS_KEYLESS_CHANGE'
  /** Of the changes. */
  readonly topic: string

  constructor(topic: string, operation: string) {
    super(
      `a change (op ${operation}) of ${topic} has no key, so that no row of a view can be told: give the captured table a primary key (ALTER TABLE … ADD ` +
        'PRIMARY KEY (…)), or read the topic as a stream of changeEvents() instead'
    )
    this.topic = topic
  }
}
