import { SerdeError } from './serde-error.ts'
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
  return serdeOf(`tuple(${parts.map(({ name }) => name).join(', ')})`, tupleCodec(parts))
}

/** Keys with named parts, which compare in the order in which the fields are given here. Written as a {@link tuple} of the fields. */
export function struct<const F extends Readonly<Record<string, SortableSerde<unknown>>>>(
  fields: F
): SortableSerde<StructOf<F>> {
  const names = Object.keys(fields)
  const parts = tupleCodec(Object.values(fields))
  const described = names.map((field) => `${field}: ${fields[field].name}`).join(', ')
  return serdeOf(`struct(${described})`, {
    write: (value: Readonly<Record<string, unknown>>) => parts.write(names.map((field) => value[field])),
    read(bytes, at, end) {
      const { value, next } = parts.read(bytes, at, end)
      return { value: Object.fromEntries(names.map((field, i) => [field, value[i]])), next }
    }
  })
}

function tupleCodec(parts: readonly SortableSerde<unknown>[]): SortableCodec<readonly unknown[]> {
  return {
    write: (value) => Buffer.concat(parts.map(({ sortable }, i) => sortable.write(value[i]))),
    read(bytes, at, end): SortableRead<readonly unknown[]> {
      const value: unknown[] = []
      let next = at
      for (const { sortable } of parts) {
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
