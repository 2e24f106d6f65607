import { randomBytes, randomFillSync } from 'node:crypto'
import type { RandomSource } from './environment.ts'

const pool = Buffer.alloc(1024)
let used = pool.length

/** The system's cryptographic random source. */
export const realRandom: RandomSource = {
  bytes: (length) => randomBytes(length),
  uint32: () => {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const value = pool.readUInt32LE(used)
    used += 4
    return value
  }
}
