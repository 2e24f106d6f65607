import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { readCases } from './case.ts'
import { openKafkaStreams } from './kafka-streams.ts'

const golden = fileURLToPath(new URL('../../../shared/golden', import.meta.url))
const FAMILIES = ['stateless', 'session-count-final', 'table-table-outerJoin', 'punctuate-wall-clock']
const kafka = await openKafkaStreams()
const reason = 'missing' in kafka ? kafka.missing : existsSync(golden) ? '' : `${golden} is missing`
const scratch = mkdtempSync(join(tmpdir(), 'millrace-record-'))

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
  if (!('missing' in kafka)) kafka.close()
})

describe.skipIf(reason !== '')(`cases recorded by Kafka Streams${reason && ` (skipped: ${reason})`}`, () => {
  it('come out as they were recorded before', { timeout: 120_000 }, async () => {
    const files = FAMILIES.map((family) => {
      const file = join(scratch, `${family}.json`)
      const cases = readCases([join(golden, `${family}.json`)]).slice(0, 2)
      writeFileSync(file, JSON.stringify(cases.map(({ name, topology, input }) => ({ name, topology, input }))))
      return { file, cases }
    })
    if (!('missing' in kafka)) await kafka.record(files.map(({ file }) => file))
    for (const { file, cases } of files) expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(cases)
  })

  it('say why Kafka Streams refuses a topology', { timeout: 120_000 }, async () => {
    const file = join(scratch, 'refused.json')
    copyFileSync(join(golden, 'stateless.json'), file)
    const [first] = readCases([file])
    const topology = [...(first?.topology ?? []), { op: 'to', from: 'unheard-of', topic: 'nowhere' }]
    writeFileSync(file, JSON.stringify([{ ...first, topology }]))
    if (!('missing' in kafka)) await kafka.record([file])
    expect(readCases([file])).toEqual([expect.objectContaining({ refused: expect.stringContaining('not there') })])
    expect(readCases([file])[0]).not.toHaveProperty('output')
  })
})
