import { gzipSync } from 'node:zlib'
import { memoryEnvironment, openLog } from '@millrace/log'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConnectorEvent } from '../../connector-event.ts'
import { readToEnd } from '../../runtime/read-topic.ts'
import { runConnectors } from '../../runtime/run-connectors.ts'
import type { SourceContext } from '../../source.ts'
import { SourceFileError } from '../errors.ts'
import type { FilePosition } from './file-position.ts'
import { type FileSourceOptions, fileSource } from './file-source.ts'

const PATH = '/logs/access.log'

class World {
  readonly environment = memoryEnvironment()
  readonly events: ConnectorEvent[] = []
  positions = new Map<string, FilePosition>()

  constructor() {
    this.environment.files.makeDirectory('/logs')
  }

  /** Files written from now on are newer. */
  later(): void {
    const before = this.environment.clock.nowMs()
    while (this.environment.clock.nowMs() === before);
  }

  write(path: string, content: string | Buffer): void {
    const { files } = this.environment
    if (files.exists(path)) files.remove(path)
    this.append(path, content)
  }

  append(path: string, content: string | Buffer): void {
    const file = this.environment.files.open(path, 'write')
    file.write([Buffer.from(content)], file.size())
    file.close()
  }

  /** What one run to the files' ends gives; its positions are committed. */
  async read(options: Partial<FileSourceOptions> = {}, batches = Number.POSITIVE_INFINITY): Promise<string[]> {
    const context: SourceContext = {
      signal: new AbortController().signal,
      environment: this.environment,
      state: { get: () => undefined, set: () => undefined, scan: async function* () {} },
      report: (event) => this.events.push(event)
    }
    const source = fileSource({
      name: 'lines',
      files: [PATH],
      untilEnd: true,
      batchLines: 2,
      parse: ({ text }) => ({ topic: 'lines', key: null, value: Buffer.from(text) }),
      ...options
    })
    const reader = await source.open(this.positions, context)
    const lines: string[] = []
    for (let count = 0; count < batches; count++) {
      const batch = await reader.read()
      if (batch === undefined) break
      lines.push(...batch.records.map(({ value }) => String(value)))
      for (const [split, position] of batch.positions) if (position) this.positions.set(split, position)
    }
    await reader.close()
    return lines
  }
}

describe.each([
  ['plain', (content: Buffer) => content],
  ['gzip', (content: Buffer) => gzipSync(content)],
  [
    'gzip of two members',
    (content: Buffer) => Buffer.concat([gzipSync(content.subarray(0, 4)), gzipSync(content.subarray(4))])
  ]
])('a %s file', (_, pack) => {
  it('is read line by line, whatever its line ends, with the position after each batch', async () => {
    const world = new World()
    world.write(PATH, pack(Buffer.from('one\r\ntwo\nthr\u00e9e\nfour')))
    expect(await world.read({}, 1)).toEqual(['one', 'two'])
    expect(world.positions.get(PATH)).toMatchObject({ position: 9, lines: 2, allLines: 2, records: { lines: 2 } })
    expect(await world.read({}, 1)).toEqual(['thr\u00e9e'])
    expect(await world.read()).toEqual(['four'])
    expect(await world.read()).toEqual([])
    expect(world.positions.get(PATH)).toMatchObject({ position: 20, lines: 4 })
  })

  it('is known by what it begins with', async () => {
    const world = new World()
    world.write(PATH, pack(Buffer.from('one\ntwo\n')))
    await world.read()
    world.write(PATH, pack(Buffer.from('other\nfile\n')))
    await expect(world.read({ rotation: 'fail' })).rejects.toThrow(/it was replaced: it begins with other bytes/)
    world.write(PATH, pack(Buffer.from('one\ntwo\nthree\n')))
    expect(await world.read({ rotation: 'fail' })).toEqual(['three'])
  })

  it('is finished under its new name before the file that takes its place', async () => {
    const world = new World()
    const first = Buffer.from('one\ntwo\nthree\nfour\n')
    world.write(PATH, pack(first))
    expect(await world.read({}, 1)).toEqual(['one', 'two'])
    world.write('/logs/access.log.1', pack(Buffer.concat([first, Buffer.from('five')])))
    world.write(PATH, pack(Buffer.from('six\nseven\n')))
    expect(await world.read({}, 1)).toEqual(['three', 'four'])
    expect(await world.read()).toEqual(['five', 'six', 'seven'])
    expect(world.positions.get(PATH)).toMatchObject({ lines: 2, allLines: 7, records: { lines: 7 } })
    expect(world.events).toEqual([])
  })
})

describe('the file source', () => {
  it('finds a rotated file that was packed meanwhile', async () => {
    const world = new World()
    world.write(PATH, 'one\ntwo\nthree\n')
    await world.read({}, 1)
    world.write('/logs/access.log-20261121.gz', gzipSync('one\ntwo\nthree\nfour\n'))
    world.write(PATH, 'five\n')
    expect(await world.read()).toEqual(['three', 'four', 'five'])
  })

  it('reads all files that were rotated since, in the order in which they were written', async () => {
    const world = new World()
    world.write('/logs/access.log.4', 'history\n')
    world.later()
    world.write(PATH, 'one\ntwo\nthree\n')
    await world.read({}, 1)
    const rotate = (to: string, next: string) => {
      world.environment.files.rename(PATH, `/logs/access.log.${to}`)
      world.later()
      world.write(PATH, next)
    }
    rotate('3', 'four\n')
    rotate('20261121', 'five\n')
    rotate('2', 'six\n')
    expect(await world.read()).toEqual(['three', 'four', 'five', 'six'])
  })

  it('reads the files of a directory once, under whatever names they come to be there', async () => {
    const world = new World()
    const read = () => world.read({ files: ['/logs'] })
    const rotate = (lastLine: string) => {
      const { files } = world.environment
      world.write(`${PATH}.2.gz`, gzipSync(files.readFile(`${PATH}.1`)))
      world.later()
      world.append(PATH, lastLine)
      files.rename(PATH, `${PATH}.1`)
      world.later()
    }
    world.write(`${PATH}.2.gz`, gzipSync('one\n'))
    world.later()
    world.write(`${PATH}.1`, 'two\n')
    world.later()
    world.write(PATH, 'three\n')
    world.write('/logs/part-1', 'part 1\n')
    world.write('/logs/part-10', 'part 10\n')
    expect(await read()).toEqual(['one', 'two', 'three', 'part 1', 'part 10'])
    rotate('four\n')
    world.write(PATH, 'five\n')
    expect(await read()).toEqual(['four', 'five'])
    rotate('')
    // For a moment there is none at the path.
    expect(await read()).toEqual([])
    world.write(PATH, 'six\n')
    expect(await read()).toEqual(['six'])
    world.append(`${PATH}.1`, 'late\n')
    world.write(`${PATH}.1.gz`, gzipSync('fi').subarray(0, 12))
    expect(await read()).toEqual([])
    expect(world.events).toEqual([])
  })

  it('reads rotated files whose numbers count up, when all times say so', async () => {
    const world = new World()
    const { files } = world.environment
    for (const name of ['1', '2', '3']) {
      world.write(`${PATH}.${name}`, `file ${name}\n`)
      world.later()
    }
    world.write(PATH, 'file 4\n')
    expect(await world.read({ files: ['/logs'] })).toEqual(['file 1', 'file 2', 'file 3', 'file 4'])
    world.later()
    world.append(PATH, 'rest\n')
    files.rename(PATH, `${PATH}.4`)
    world.later()
    world.write(PATH, 'file 5\n')
    expect(await world.read({ files: ['/logs'] })).toEqual(['rest', 'file 5'])
  })

  it('reads rotated files in the order of their numbers, though they were packed, or copied, in another', async () => {
    const world = new World()
    for (const [suffix, line] of [
      ['', 'five'],
      ['.1', 'four'],
      ['.10.gz', 'one'],
      ['.9.gz', 'two'],
      ['.2.gz', 'three']
    ] as const) {
      const content = Buffer.from(`${line}\n`)
      world.write(`${PATH}${suffix}`, suffix.endsWith('.gz') ? gzipSync(content) : content)
      world.later()
    }
    expect(await world.read({ files: ['/logs'] })).toEqual(['one', 'two', 'three', 'four', 'five'])
  })

  it('says that a directory has no files, and waits for some unless it reads to the end', async () => {
    const world = new World()
    world.environment.files.makeDirectory('/logs/old')
    world.write('/logs/old/a.log', 'a\n')
    await expect(world.read({ files: ['/logs'] })).rejects.toThrow(/\/logs: is a directory without files/)
    const source = fileSource({
      name: 'lines',
      files: ['/logs'],
      pollInterval: 1,
      parse: ({ text }) => ({ topic: 'lines', key: null, value: Buffer.from(text) })
    })
    const log = await openLog({ environment: world.environment })
    const app = await runConnectors({ log, connectors: [{ source, commitInterval: 1, topics: { partitions: 1 } }] })
    const [connector] = app.connectors
    const events: string[] = []
    connector.events$.subscribe(({ code }) => events.push(code))
    await expect.poll(() => events).toEqual(['directory-without-files'])
    world.write(PATH, 'one\n')
    await expect.poll(() => connector.metrics()['source-task']?.['source-record-write-total']).toBe(1)
    expect(events).toEqual(['directory-without-files'])
    await app.close()
    await log.close()
  })

  it('reads the files of another file system than the log is on', async () => {
    const machine = new World()
    machine.write(PATH, 'one\n')
    expect(await new World().read({ fileSystem: machine.environment.files })).toEqual(['one'])
  })

  it('reads on in a file that was moved until something is in the new one', async () => {
    const world = new World()
    const { files } = world.environment
    const lines: string[] = []
    const source = fileSource({
      name: 'lines',
      files: [PATH],
      pollInterval: 1,
      parse: ({ text }) => ({ topic: 'lines', key: null, value: Buffer.from(text) })
    })
    world.write(PATH, 'one\ntw')
    const log = await openLog({ environment: world.environment })
    const app = await runConnectors({ log, connectors: [{ source, commitInterval: 1, topics: { partitions: 1 } }] })
    const texts = async () => {
      lines.length = 0
      for await (const { records } of readToEnd(log, { topic: 'lines', partitions: [0] }))
        lines.push(...records.map(({ value }) => String(value)))
      return lines
    }
    await expect.poll(texts).toEqual(['one'])
    files.rename(PATH, `${PATH}.1`)
    world.append(`${PATH}.1`, 'o\n')
    await expect.poll(texts).toEqual(['one', 'two'])
    world.write(PATH, '')
    world.append(`${PATH}.1`, 'three\n')
    await expect.poll(texts).toEqual(['one', 'two', 'three'])
    world.write(`${PATH}.1.gz`, gzipSync('one\ntwo\nthree\nfour'))
    files.remove(`${PATH}.1`)
    world.append(PATH, 'five\n')
    await expect.poll(texts).toEqual(['one', 'two', 'three', 'four', 'five'])
    await app.close()
    await log.close()
    expect(world.events).toEqual([])
  })

  it('says when the rest of a replaced file is lost', async () => {
    const world = new World()
    world.write(PATH, 'one\ntwo\nthree\n')
    await world.read({}, 1)
    world.write(PATH, 'new\n')
    expect(await world.read()).toEqual(['new'])
    expect(world.events).toMatchObject([{ level: 'warning', code: 'rotated-file-missing' }])
  })

  it('says that a file shrank, is missing, is no file, or is cut', async () => {
    const world = new World()
    await expect(world.read()).rejects.toThrow(SourceFileError)
    world.write(PATH, `${'x'.repeat(2000)}\nrest\n`)
    await world.read()
    world.write(PATH, 'x'.repeat(1500))
    await expect(world.read({ rotation: 'fail' })).rejects.toThrow(
      /it shrank: 2006 bytes were read of it before, it has 1500 now/
    )
    world.write('/logs/cut.gz', gzipSync('one\ntwo\n'.repeat(1000)).subarray(0, 40))
    await expect(world.read({ files: ['/logs/cut.gz'] })).rejects.toThrow(
      /not a whole gzip file after \d+ unpacked bytes/
    )
  })

  it('reads a file once that is named twice, and the files of a directory', async () => {
    const world = new World()
    world.write('/logs/b.log', 'b1\nb2\nb3\n')
    world.write('/logs/a.log', 'a1\n')
    world.write('/logs/.hidden', 'no\n')
    expect(await world.read({ files: ['/logs', '/logs/./a.log'] })).toEqual(['a1', 'b1', 'b2', 'b3'])
  })

  it('cuts lines that are too long, and says so', async () => {
    const world = new World()
    world.write(PATH, `${'x'.repeat(30)}\nshort\n`)
    const seen: unknown[] = []
    await world.read({
      longestLineBytes: 10,
      parse: ({ text, tooLong, number, file }) => {
        seen.push([file, number, text, tooLong])
        return undefined
      }
    })
    expect(seen).toEqual([
      [PATH, 1, 'x'.repeat(10), true],
      [PATH, 2, 'short', false]
    ])
    expect(world.positions.get(PATH)).toMatchObject({ position: 37, records: {} })
  })

  it('gives every line once, wherever it was stopped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-z\u00e4\u20ac]{0,6}$/), { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(3), { maxLength: 10 }),
        async (lines, stops) => {
          const world = new World()
          world.write(PATH, lines.map((line) => `${line}\n`).join(''))
          const read: string[] = []
          for (const batches of stops) read.push(...(await world.read({}, batches)))
          read.push(...(await world.read()))
          expect(read).toEqual(lines)
        }
      ),
      { numRuns: 50 }
    )
  })

  it('follows files as they grow, on a log, and goes on after a restart', async () => {
    const world = new World()
    world.write(PATH, 'one\nha')
    const log = await openLog({ environment: world.environment })
    const texts = async () => {
      const read: string[] = []
      for await (const { records } of readToEnd(log, { topic: 'lines', partitions: [0] }))
        read.push(...records.map(({ value }) => String(value)))
      return read
    }
    const source = () =>
      fileSource({
        name: 'lines',
        files: [PATH],
        pollInterval: 1,
        parse: ({ text }) => ({ topic: 'lines', key: null, value: Buffer.from(text) })
      })
    await log.admin().ensureTopic({ name: 'lines', partitions: 1 })
    const open = () => runConnectors({ log, connectors: [{ source: source(), commitInterval: 1 }] })
    const first = await open()
    await expect.poll(texts).toEqual(['one'])
    world.append(PATH, 'lf\nthree\n')
    await expect.poll(texts).toEqual(['one', 'half', 'three'])
    await first.close()
    world.append(PATH, 'four\n')
    const second = await open()
    await expect.poll(texts).toEqual(['one', 'half', 'three', 'four'])
    await second.close()
    await log.close()
  })
})
