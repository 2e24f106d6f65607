import { Scratch } from './scratch.ts'
import type { Serde } from './serde.ts'
import { string } from './string.ts'

const scratch = new Scratch()

/** Keys as the latin1 text of their bytes, one character a byte: in the order of the bytes, and equal where they are. */
export interface KeyText<K> {
  to(key: K): string
  from(text: string): K
}

/** The texts of a serde's keys. */
export function keyText<K>(serde: Serde<K>): KeyText<K> {
  const encoded = (key: K): string => scratch.encode(serde, key).toString('latin1')
  return {
    // Of ASCII text the bytes are the text.
    to: Object.is(serde, string()) ? (key) => (typeof key === 'string' && isAscii(key) ? key : encoded(key)) : encoded,
    from: (text) => serde.decode(Buffer.from(text, 'latin1'), 0, text.length)
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
