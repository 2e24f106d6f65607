import { mappedSortable, type SortableSerde, sortableBytes } from './sortable.ts'

const utf8: SortableSerde<string> = Object.freeze({
  name: 'string',
  encode: (value: string) => Buffer.from(value, 'utf8'),
  decode: (bytes: Buffer, start: number, end: number) => bytes.toString('utf8', start, end),
  // A lone surrogate is written as U+FFFD, so as a key it must also be looked up as that.
  identity: (value: string) => value.toWellFormed(),
  // The order of UTF-8 is that of code points.
  sortable: mappedSortable(sortableBytes, {
    to: (value: string) => Buffer.from(value, 'utf8'),
    from: (bytes) => bytes.toString('utf8')
  })
})

/**
 * Text as UTF-8, the bytes of Kafka's StringSerializer. Bytes that are not UTF-8 are read as U+FFFD, and a lone surrogate is written as
 * one; use {@link bytes} where every byte counts.
 */
export function string(): SortableSerde<string> {
  return utf8
}
