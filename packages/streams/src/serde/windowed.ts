/** A key and the window its value belongs to. Times are milliseconds since the epoch; the end is exclusive. */
export class Windowed<K = unknown> {
  readonly key: K
  readonly startMs: number
  readonly endMs: number

  constructor(key: K, startMs: number, endMs: number) {
    this.key = key
    this.startMs = startMs
    this.endMs = endMs
  }
}
