import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

const text: Serde<unknown> = Object.freeze({
  name: 'json',
  encode(value: unknown): Buffer {
    // Which would be written as an empty object, and nobody would know.
    if (value instanceof Promise) {
      throw new SerdeError({
        serde: 'json',
        operation: 'encode',
        problem: 'JSON has no form for a promise: an asynchronous function goes to mapAsync()'
      })
    }
    const written = stringify(value)
    if (written === undefined) {
      throw new SerdeError({ serde: 'json', operation: 'encode', problem: `JSON has no form for a ${typeof value}` })
    }
    return Buffer.from(written, 'utf8')
  },
  decode(bytes: Buffer, start: number, end: number): unknown {
    const written = bytes.toString('utf8', start, end)
    try {
      return JSON.parse(written)
    } catch (cause) {
      throw new SerdeError({ serde: 'json', operation: 'decode', problem: reason(cause) }, { cause })
    }
  }
})

/**
 * Values as JSON text in UTF-8. `T` is what the program expects, not checked: a record of another shape decodes all the same.
 * Properties are written in the order they were set, so as a key two objects are equal only when that order is too.
 */
export function json<T>(): Serde<T> {
  return text as Serde<T>
}

/** What `JSON.stringify` really returns. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new SerdeError({ serde: 'json', operation: 'encode', problem: reason(cause) }, { cause })
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
