import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '@millrace/log/testing'
import { filesBelow } from './data-directory.ts'

/** One thing that happens to one file. */
export interface Mutation {
  readonly file: string
  readonly text: string
  apply(bytes: Buffer): Buffer
}

const PAGE_BYTES = 512

/** For a share of the files of a directory, something that changes it: a flipped bit, a zeroed page, a cut. */
export function* mutations(
  directory: string,
  options: { readonly seed: number; readonly share: number }
): Generator<Mutation> {
  const random = new SeededRandom(options.seed)
  for (const file of filesBelow(directory)) {
    const bytes = readFileSync(join(directory, file))
    if (bytes.length === 0) continue
    const mutation = mutate(file, bytes.length, random)
    if (random.chance(options.share) && !mutation.apply(Buffer.from(bytes)).equals(bytes)) yield mutation
  }
}

function mutate(file: string, sizeBytes: number, random: SeededRandom): Mutation {
  const at = random.below(sizeBytes)
  const kind = random.pick(['flip', 'flip', 'zero', 'cut'])
  if (kind === 'flip') {
    const bit = random.below(8)
    const apply = (bytes: Buffer) => {
      bytes[at] ^= 1 << bit
      return bytes
    }
    return { file, text: `${file}: bit ${bit} of byte ${at} of ${sizeBytes} flipped`, apply }
  }
  if (kind === 'cut')
    return { file, text: `${file}: cut from ${sizeBytes} to ${at} bytes`, apply: (bytes) => bytes.subarray(0, at) }
  const from = at - (at % PAGE_BYTES)
  return {
    file,
    text: `${file}: page at ${from} of ${sizeBytes} zeroed`,
    apply: (bytes) => bytes.fill(0, from, Math.min(bytes.length, from + PAGE_BYTES))
  }
}
