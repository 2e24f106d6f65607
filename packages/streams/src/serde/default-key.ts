import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'
import { string } from './string.ts'

/**
 * What writes the keys that a key-changing step makes when it was given no serde: text, as {@link string}. The types ask for a serde
 * where the new key is not text; a key that slips past them is refused here, naming the step.
 */
export function defaultKey(node: string): Serde<unknown> {
  const text = string()
  return Object.freeze({
    name: text.name,
    encode: (key: unknown) => text.encode(expectText(key, node)),
    encodeInto: (key: unknown, target: Buffer, at: number) =>
      text.encodeInto?.(expectText(key, node), target, at) ?? -1,
    decode: (bytes: Buffer, start: number, end: number) => text.decode(bytes, start, end),
    identity: (key: unknown) => expectText(key, node).toWellFormed()
  })
}

function expectText(key: unknown, node: string): string {
  if (typeof key === 'string') return key
  const problem = `the key is a ${typeof key}, not text: give the step a key serde, e.g. { key: number() }`
  throw new SerdeError({ serde: 'default key', operation: 'encode', problem, node })
}
