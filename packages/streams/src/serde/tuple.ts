import { SerdeError, withinPart, wrongType } from './serde-error.ts'
import type { SortableCodec, SortableRead, SortableSerde } from './sortable.ts'

/** The values of a tuple's parts. */
export type TupleOf<P extends readonly SortableSerde<unknown>[]> = {
  readonly [I in keyof P]: P[I] extends SortableSerde<infer T> ? T : never
}

/** The values of a struct's fields. */
export type StructOf<F extends Readonly<Record<string, SortableSerde<unknown>>>> = {
  readonly [N in keyof F]: F[N] extends SortableSerde<infer T> ? T : never
}

/**
 * Keys of several parts, whose bytes sort as the first parts compare, then the second and so on: a range of such keys is a range of the store.
 * Text compares by code points.
 *
 * @example
 * b.store('visits', { key: tuple(string(), date()), value: json<Visit>() })
 */
export function tuple<const P extends readonly SortableSerde<unknown>[]>(...parts: P): SortableSerde<TupleOf<P>> {
  const name = `tuple(${parts.map((part) => part.name).join(', ')})`
  const codec = tupleCodec(
    name,
    parts.map((part, i) => [`[${i}]`, part])
  )
  return serdeOf(name, {
    ...codec,
    write(value) {
      if (Array.isArray(value) && value.length === parts.length) return codec.write(value)
      const came = Array.isArray(value) ? `${value.length} parts` : `a value of type ${typeof value}`
      throw new SerdeError({ serde: name, operation: 'encode', problem: `it has ${parts.length} parts, got ${came}` })
    }
  })
}

/** Keys with named parts, which compare in the order in which the fields are given here. Written as a {@link tuple} of the fields. */
export function struct<const F extends Readonly<Record<string, SortableSerde<unknown>>>>(
  fields: F
): SortableSerde<StructOf<F>> {
  const names = Object.keys(fields)
  const name = `struct(${names.map((field) => `${field}: ${fields[field].name}`).join(', ')})`
  const parts = tupleCodec(
    name,
    Object.entries(fields).map(([field, part]) => [`.${field}`, part])
  )
  return serdeOf(name, {
    write(value: Readonly<Record<string, unknown>>) {
      if (typeof value !== 'object' || value === null) throw wrongType(name, value, 'object')
      return parts.write(names.map((field) => value[field]))
    },
    read(bytes, at, end) {
      const { value, next } = parts.read(bytes, at, end)
      return { value: Object.fromEntries(names.map((field, i) => [field, value[i]])), next }
    }
  })
}

/** Parts with where they are in the value. */
type Placed = readonly (readonly [place: string, part: SortableSerde<unknown>])[]

function tupleCodec(name: string, parts: Placed): SortableCodec<readonly unknown[]> {
  return {
    write: (value) =>
      Buffer.concat(
        parts.map(([place, { sortable }], i) => {
          try {
            return sortable.write(value[i])
          } catch (cause) {
            throw withinPart(name, place, cause)
          }
        })
      ),
    read(bytes, at, end): SortableRead<readonly unknown[]> {
      const value: unknown[] = []
      let next = at
      for (const [, { sortable }] of parts) {
        const part = sortable.read(bytes, next, end)
        value.push(part.value)
        next = part.next
      }
      return { value, next }
    }
  }
}

/** The codec as a serde; its type is the caller's word for what the parts are. */
function serdeOf<T, W>(name: string, codec: SortableCodec<W>): SortableSerde<T> {
  const sortable = Object.freeze(codec) as unknown as SortableCodec<T>
  return Object.freeze({
    name,
    sortable,
    encode: (value: T) => sortable.write(value),
    decode(bytes: Buffer, start: number, end: number): T {
      const { value, next } = sortable.read(bytes, start, end)
      if (next === end) return value
      throw new SerdeError({ serde: name, operation: 'decode', problem: `${end - next} bytes too many` })
    }
  })
}
