import { long } from './long.ts'
import { SerdeError, wrongType } from './serde-error.ts'
import { mappedSortable, type SortableSerde } from './sortable.ts'

const whole = long()

const time: SortableSerde<Date> = Object.freeze({
  name: 'date',
  encode: (value: Date) => whole.encode(millisecondsOf(value)),
  decode: (bytes: Buffer, start: number, end: number) => new Date(whole.decode(bytes, start, end)),
  identity: (value: Date) => millisecondsOf(value),
  sortable: mappedSortable(whole.sortable, { to: millisecondsOf, from: (ms) => new Date(ms) })
})

/** Points in time as milliseconds since the epoch in Kafka's Long. An invalid date is a `SerdeError`. */
export function date(): SortableSerde<Date> {
  return time
}

function millisecondsOf(value: Date): number {
  if (!(value instanceof Date)) throw wrongType('date', value, 'Date')
  const ms = value.getTime()
  if (!Number.isNaN(ms)) return ms
  throw new SerdeError({ serde: 'date', operation: 'encode', problem: 'the date is invalid' })
}
