import { CorruptionError } from '../../errors.ts'

/**
 * Kafka's text checkpoints: a line with the version 0, a line with the number of entries, then one entry a line, its fields
 * separated by a blank.
 */
export function encodeTextCheckpoint(entries: readonly string[]): Buffer {
  return Buffer.from(`0\n${entries.length}\n${entries.map((entry) => `${entry}\n`).join('')}`)
}

/**
 * The entries of a text checkpoint, each split into its fields.
 * @throws CorruptionError when it has another version, another number of entries, or an entry with other than `fieldCount` fields.
 */
export function decodeTextCheckpoint(path: string, content: Buffer, fieldCount: number): string[][] {
  const lines = content.toString('utf8').split('\n')
  const fail = (line: number, problem: string) => {
    const position = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0)
    return new CorruptionError({
      message: `Checkpoint ${path} is damaged at line ${line + 1}: ${problem}`,
      path,
      position
    })
  }
  if (lines[0] !== '0') throw fail(0, `version 0 expected`)
  const count = parseCount(lines[1])
  if (count === undefined) throw fail(1, 'a number of entries expected')
  if (lines.length !== count + 3 || lines[count + 2] !== '') throw fail(1, `${count} entries expected`)
  return lines.slice(2, count + 2).map((line, index) => {
    const fields = line.split(' ')
    if (fields.length !== fieldCount) throw fail(index + 2, `${fieldCount} fields expected`)
    return fields
  })
}

/** A non-negative integer below 2^53, or undefined when the text is anything else. */
export function parseCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
