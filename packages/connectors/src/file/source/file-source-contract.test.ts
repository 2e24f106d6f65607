import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '@millrace/log'
import { describe, it } from 'vitest'
import { defineSource } from '../../define.ts'
import type { Positions, SourceContext } from '../../source.ts'
import { type SourceUnderTest, sourceContract } from '../../testing/source-contract.ts'
import type { FilePosition } from './file-position.ts'
import { fileSource } from './file-source.ts'

/** A log that grows, and is rotated at every second growth. */
async function makeSource(what: 'file' | 'directory'): Promise<SourceUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-file-'))
  const file = join(directory, 'app.log')
  const { files } = realEnvironment()
  writeFileSync(file, '')
  let lines = 0
  let rotations = 0
  const source = fileSource({
    name: 'app-log',
    files: [what === 'file' ? file : directory],
    pollInterval: 1,
    batchLines: 3,
    parse: ({ text }) => ({ topic: 'lines', key: Buffer.from(text), value: Buffer.from(text) })
  })
  return {
    source: () =>
      defineSource<FilePosition>({
        ...source,
        open: (positions: Positions<FilePosition>, context: SourceContext) =>
          source.open(positions, { ...context, environment: { ...context.environment, files } })
      }),
    topics: ['lines'],
    produce: async (count) => {
      const ids = Array.from({ length: count }, () => `line-${lines++}`)
      // What was rotated before the first reading is history.
      if (source.committed().size > 0 && rotations++ % 2 === 1) {
        renameSync(file, `${file}-${1_700_000_000 + rotations}`)
        writeFileSync(file, '')
      }
      appendFileSync(file, ids.map((id) => `${id}\n`).join(''))
      return ids
    },
    idOf: ({ value }) => String(value),
    close: async () => rmSync(directory, { recursive: true })
  }
}

describe.each(['file', 'directory'] as const)('the contract of sources, of the file source with a %s', (what) => {
  for (const { name, run } of sourceContract(() => makeSource(what))) it(name, run)
})
