import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** avsc, loaded with the first Avro serde, so that programs without one do not pay for it. */
export function avsc(): typeof import('avsc') {
  return require('avsc')
}
