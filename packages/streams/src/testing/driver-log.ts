import { keptRecord, type OutgoingRecord, type RecordCollector } from '../processor/record-collector.ts'
import type { LoggedRecord } from './single-record-batch.ts'

/** The test driver's log: every topic has one partition, and every record sent to it is kept for the test to read. */
export class DriverLog implements RecordCollector {
  readonly #topics = new Map<string, LoggedRecord[]>()
  readonly #deliver: (record: LoggedRecord) => void

  /** @param deliver Is given every record that is sent, to hand it to the tasks that read its topic. */
  constructor(deliver: (record: LoggedRecord) => void) {
    this.#deliver = deliver
  }

  send(sent: OutgoingRecord): void {
    const { topic, key, value, timestamp, headers } = keptRecord(sent)
    const records = this.recordsOf(topic)
    const record = { topic, offset: records.length, key, value, timestamp, headers }
    records.push(record)
    this.#deliver(record)
  }

  partitionCount(): number {
    return 1
  }

  /** Every topic is there. */
  lookUp(): undefined {
    return undefined
  }

  /** All records of a topic so far; the list grows. */
  recordsOf(topic: string): LoggedRecord[] {
    const known = this.#topics.get(topic)
    if (known) return known
    const records: LoggedRecord[] = []
    this.#topics.set(topic, records)
    return records
  }

  /** Topics that anything was sent to, in the order of their first record. */
  topics(): string[] {
    return [...this.#topics].filter(([, records]) => records.length > 0).map(([topic]) => topic)
  }
}
