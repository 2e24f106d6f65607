/** What becomes of a record that cannot be read or processed. Made by {@link fail}, {@link skip} and {@link deadLetter}. */
export type ErrorPolicy =
  | { readonly kind: 'fail' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'dead-letter'; readonly topic: string }

/** One policy for each place where a record can fail. The default everywhere is {@link fail}. */
export interface ErrorPolicies {
  /** Bytes that the source's serde cannot read. */
  readonly deserialization?: ErrorPolicy
  /** A callback that throws, or a value that cannot be encoded for sending. */
  readonly processing?: ErrorPolicy
}

const FAIL: ErrorPolicy = Object.freeze({ kind: 'fail' })
const SKIP: ErrorPolicy = Object.freeze({ kind: 'skip' })

/** Stops the application at its last commit, so that nothing is lost. The default. */
export function fail(): ErrorPolicy {
  return FAIL
}

/** Goes on without the record: it leaves no trace but a count, neither in the stores nor in topics. */
export function skip(): ErrorPolicy {
  return SKIP
}

/**
 * Goes on without the record, and sends its original key, value and headers to a topic in the same transaction, with headers that say where
 * it came from and why it failed (`__streams.errors.*`, as Kafka Streams names them). The topic must exist.
 */
export function deadLetter(topic: string): ErrorPolicy {
  return Object.freeze({ kind: 'dead-letter', topic })
}
