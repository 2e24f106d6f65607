import type { Serde } from './serde.ts'

const utf8: Serde<string> = Object.freeze({
  name: 'string',
  encode: (value: string) => Buffer.from(value, 'utf8'),
  decode: (bytes: Buffer, start: number, end: number) => bytes.toString('utf8', start, end),
  // A lone surrogate is written as U+FFFD, so as a key it must also be looked up as that.
  identity: (value: string) => value.toWellFormed()
})

/**
 * Text as UTF-8, the bytes of Kafka's StringSerializer. Bytes that are not UTF-8 are read as U+FFFD, and a lone surrogate is written as
 * one; use {@link bytes} where every byte counts.
 */
export function string(): Serde<string> {
  return utf8
}
