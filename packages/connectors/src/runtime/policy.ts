import type { ConnectorErrorPolicy } from './connector.ts'

/** Stops the connector before the record that cannot be taken, so that nothing is lost. The default. */
export function fail(): ConnectorErrorPolicy {
  return { kind: 'fail' }
}

/**
 * Puts the record aside and goes on: its original key, value and headers go to a topic, with headers that say where it came from and why it
 * failed (`__connect.errors.*`, as Kafka Connect names them). The topic is made if need be; `replayDeadLetters` sends them back.
 */
export function deadLetter(topic: string): ConnectorErrorPolicy {
  return { kind: 'dead-letter', topic }
}
