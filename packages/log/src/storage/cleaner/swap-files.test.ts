import { describe, expect, it } from 'vitest'
import type { FileSystem } from '../../environment/environment.ts'
import { memoryEnvironment } from '../../environment/memory-environment.ts'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { encodeSummary, type SegmentSummary } from '../segment/summary.ts'
import { commitSwap, finishSwaps, undoSwap } from './swap-files.ts'

const DIRECTORY = '/log/clicks-0'
const NAME = { 0: '0'.repeat(20), 10: `${'0'.repeat(18)}10`, 20: `${'0'.repeat(18)}20`, 30: `${'0'.repeat(18)}30` }
const OLD = ['.log', '.index', '.timeindex', '.txnindex', '.summary']
const NEW = ['.log', '.index', '.timeindex', '.summary']

/** Segments at 0, 10, 20 and 30, each of whose files says `old`. */
function directory(): FileSystem {
  const { files } = memoryEnvironment()
  files.makeDirectory(DIRECTORY)
  for (const name of Object.values(NAME)) for (const suffix of OLD) write(files, name + suffix, 'old')
  return files
}

/** What replaces the segments at 0, 10 and 20, under the given ending; Kafka writes no summary. */
function writeNew(files: FileSystem, ending: string, by: 'us' | 'kafka' = 'us'): void {
  for (const suffix of NEW) {
    if (suffix === '.summary' && by === 'kafka') continue
    write(files, NAME[0] + suffix + ending, suffix === '.summary' ? summary() : 'new')
  }
}

function summary(): Buffer {
  const sum = { sizeBytes: 0, crc: 0 }
  const facts: SegmentSummary = {
    topicId: 'x',
    logSizeBytes: 3,
    nextOffset: 30,
    coveredOffsets: 1,
    cleanedTo: 30,
    logStartOffset: 0,
    createdMs: 0,
    firstTimestampMs: 0,
    greatest: { timestampMs: 0, offset: 0 },
    bytesSinceIndexEntry: 0,
    offsetIndex: sum,
    timeIndex: sum,
    transactionIndex: sum,
    epochs: []
  }
  return encodeSummary(facts)
}

function write(files: FileSystem, name: string, content: string | Buffer): void {
  const handle = files.open(`${DIRECTORY}/${name}`, 'write')
  handle.truncate(0)
  handle.write([Buffer.from(content)], 0)
  handle.close()
}

/** File -> `old`, `new` or `summary` (the new one). */
function contents(files: FileSystem): Record<string, string> {
  return Object.fromEntries(
    files.list(DIRECTORY).map(({ name }) => {
      const content = files.readFile(`${DIRECTORY}/${name}`)
      return [name, content.length > 3 ? 'summary' : content.toString()]
    })
  )
}

const untouched = contents(directory())
const replaced = {
  [`${NAME[0]}.log`]: 'new',
  [`${NAME[0]}.index`]: 'new',
  [`${NAME[0]}.timeindex`]: 'new',
  [`${NAME[0]}.summary`]: 'summary',
  ...Object.fromEntries(OLD.map((suffix) => [NAME[30] + suffix, 'old']))
}

describe('an interrupted replacement of segments', () => {
  it('is forgotten while one of its files is not committed', async () => {
    for (const suffix of NEW) {
      const files = directory()
      writeNew(files, '.cleaned')
      // All were renamed but one.
      for (const other of NEW) {
        if (other === suffix) continue
        files.rename(`${DIRECTORY}/${NAME[0]}${other}.cleaned`, `${DIRECTORY}/${NAME[0]}${other}.swap`)
      }
      await finishSwaps(files, DIRECTORY)
      expect(contents(files), suffix).toEqual(untouched)
    }
  })

  it('is completed from its commit on, however far it came', async () => {
    const gone = [10, 20] as const
    const steps: ((files: FileSystem) => void)[] = [
      ...NEW.slice(0, 3).map((suffix) => (files: FileSystem) => {
        files.rename(`${DIRECTORY}/${NAME[0]}${suffix}.swap`, `${DIRECTORY}/${NAME[0]}${suffix}`)
      }),
      ...gone.flatMap((base) =>
        OLD.map((suffix) => (files: FileSystem) => files.remove(`${DIRECTORY}/${NAME[base]}${suffix}`))
      ),
      (files) => files.remove(`${DIRECTORY}/${NAME[0]}.txnindex`),
      (files) => files.remove(`${DIRECTORY}/${NAME[0]}.summary`)
    ]
    // What the disk kept of these may be any of them.
    for (let kept = 0; kept < 2_000; kept++) {
      const files = directory()
      writeNew(files, '.cleaned')
      await commitSwap(files, DIRECTORY, 0)
      for (const [index, step] of steps.entries()) if ((kept * 2_654_435_761) & (1 << index)) step(files)
      await finishSwaps(files, DIRECTORY)
      expect(contents(files)).toEqual(replaced)
      await finishSwaps(files, DIRECTORY)
      expect(contents(files)).toEqual(replaced)
    }
  })

  it('can be taken back', async () => {
    const files = directory()
    writeNew(files, '.cleaned')
    await commitSwap(files, DIRECTORY, 0)
    await undoSwap(files, DIRECTORY, 0)
    expect(contents(files)).toEqual(untouched)
  })

  it('by Kafka is completed too: its last batch says which segments it stands for', async () => {
    const files = directory()
    writeNew(files, '.swap', 'kafka')
    const builder = new RecordBatchBuilder()
    for (let i = 0; i < 30; i++) builder.append(Buffer.from('k'), null, 0)
    write(files, `${NAME[0]}.log.swap`, builder.build({ baseOffset: 0 }))
    await finishSwaps(files, DIRECTORY)
    const names = Object.keys(contents(files))
    expect(names.filter((name) => name.startsWith(NAME[0]))).toEqual(
      ['.index', '.log', '.timeindex'].map((suffix) => NAME[0] + suffix)
    )
    expect(names.filter((name) => name.startsWith(NAME[10]) || name.startsWith(NAME[20]))).toEqual([])
    expect(names.filter((name) => name.startsWith(NAME[30]))).toHaveLength(OLD.length)
  })
})
