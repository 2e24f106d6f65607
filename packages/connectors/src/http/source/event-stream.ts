/** An event as a server sent it, by the rules of the HTML standard (section 9.2, server-sent events). */
export interface ServerSentEvent {
  /** Of the `event` field; `message` when there is none. */
  readonly type: string
  /** Of the `data` fields, a line each. */
  readonly data: string
  /** The last id that the server gave, with this event or before it; empty when it gave none. */
  readonly id: string
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const LINE_END = /\r\n?|\n/g

/**
 * Reads the bytes of an event stream (`text/event-stream`), however they are divided. What stands behind the last blank line is no event, also when the
 * stream ends there.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder()
  /** Text whose line has not ended. */
  #rest = ''
  /** The last chunk ended with CR: an LF that follows belongs to it. */
  #afterCarriageReturn = false
  #data = ''
  #hasData = false
  #type = ''
  #pendingId: string
  #lastEventId: string
  #retryMs: number | undefined

  /** @param lastEventId that the stream continues from. */
  constructor(lastEventId = '') {
    this.#pendingId = lastEventId
    this.#lastEventId = lastEventId
  }

  /** Where a new connection goes on: the id in force at the last blank line. */
  get lastEventId(): string {
    return this.#lastEventId
  }

  /** What the server said of the time between connections, milliseconds. */
  get retryMs(): number | undefined {
    return this.#retryMs
  }

  /** How much waits for its blank line, in characters. */
  get pendingLength(): number {
    return this.#rest.length + this.#data.length
  }

  /** The events that the bytes complete. */
  push(chunk: Uint8Array): ServerSentEvent[] {
    const events: ServerSentEvent[] = []
    let text = this.#decoder.decode(chunk, { stream: true })
    if (text === '') return events
    if (this.#afterCarriageReturn && text.charCodeAt(0) === LINE_FEED) text = text.slice(1)
    this.#afterCarriageReturn = text === '' ? false : text.charCodeAt(text.length - 1) === CARRIAGE_RETURN
    let from = 0
    for (const end of text.matchAll(LINE_END)) {
      this.#line(this.#rest + text.slice(from, end.index), events)
      this.#rest = ''
      from = end.index + end[0].length
    }
    this.#rest += text.slice(from)
    return events
  }

  #line(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      this.#dispatch(events)
      return
    }
    const colon = line.indexOf(':')
    // A comment: what keeps the connection alive.
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const begin = line.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1
    this.#field(field, colon === -1 ? '' : line.slice(begin))
  }

  #field(field: string, value: string): void {
    if (field === 'data') {
      this.#data += this.#hasData ? `\n${value}` : value
      this.#hasData = true
    } else if (field === 'event') this.#type = value
    else if (field === 'id' && !value.includes('\0')) this.#pendingId = value
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.#retryMs = Number(value)
  }

  #dispatch(events: ServerSentEvent[]): void {
    this.#lastEventId = this.#pendingId
    if (this.#hasData) events.push({ type: this.#type || 'message', data: this.#data, id: this.#lastEventId })
    this.#data = ''
    this.#hasData = false
    this.#type = ''
  }
}
