/** Kafka's topic names hold letters, digits, dots, hyphens and underscores; anything else becomes an underscore, as Debezium does it. */
export function topicName(name: string): string {
  return name.replace(/[^a-zA-Z0-9._-]/g, '_')
}
