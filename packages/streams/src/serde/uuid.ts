import { SerdeError } from './serde-error.ts'
import { fixedSortable, type SortableSerde } from './sortable.ts'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const text: SortableSerde<string> = Object.freeze({
  name: 'uuid',
  encode: (value: string) => Buffer.from(checked(value, 'encode'), 'latin1'),
  decode: (bytes: Buffer, start: number, end: number) => checked(bytes.toString('latin1', start, end), 'decode'),
  identity: (value: string) => value.toLowerCase(),
  sortable: fixedSortable<string>(
    16,
    (bytes, value) => bytes.write(checked(value, 'encode').replaceAll('-', ''), 'hex'),
    (bytes, at) => {
      const hex = bytes.toString('hex', at, at + 16)
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
    }
  )
})

/** UUIDs as text of 36 characters: Kafka's UUIDSerializer. Read and written in lower case; anything else is a `SerdeError`. */
export function uuid(): SortableSerde<string> {
  return text
}

function checked(value: string, operation: 'encode' | 'decode'): string {
  const lower = value.toLowerCase()
  if (form.test(lower)) return lower
  throw new SerdeError({ serde: 'uuid', operation, problem: `${JSON.stringify(value)} is not a UUID` })
}
