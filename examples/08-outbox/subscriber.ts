import { defineSink, type Sink } from '@millrace/connectors'
import type { ShopEvent } from './shop.ts'

/** Somebody who wants to know what happens to orders, or to customers: reads a topic, and checks that nothing is missing. */
export class Subscriber {
  readonly sink: Sink
  /** Events heard of each aggregate. */
  readonly heard = new Map<string, number>()
  readonly problems: string[] = []
  /** The newest events, as text. */
  readonly newest: string[] = []
  readonly #ids = new Set<string>()

  constructor(aggregate: string) {
    this.sink = defineSink(`${aggregate}-subscriber`, (batch) => {
      for (const { key, value, headers } of batch) {
        const header = (name: string) => String(headers.find((each) => each.key === name)?.value)
        this.#hear(`${aggregate} ${key}`, { id: header('id'), type: header('type'), value: String(value) })
      }
    })
  }

  #hear(aggregate: string, { id, type, value }: { id: string; type: string; value: string }): void {
    // A sink may be given the last records again after a crash. The event's id tells.
    if (this.#ids.has(id)) return
    this.#ids.add(id)
    const { nr }: ShopEvent = JSON.parse(value)
    const before = this.heard.get(aggregate) ?? 0
    if (nr !== before + 1) this.problems.push(`${aggregate}: event ${nr} came after ${before}`)
    this.heard.set(aggregate, nr)
    this.newest.unshift(`${aggregate.padEnd(18)} ${type} ${value}`)
    this.newest.length = Math.min(this.newest.length, 5)
  }
}
