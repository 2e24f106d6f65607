import { type FileSystem, FileSystemError, memoryEnvironment } from '@millrace/log'
import { parquetReadObjects } from 'hyparquet'
import * as writer from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { SinkFencedError } from '../../errors.ts'
import { debeziumRows } from '../../rows/debezium-rows.ts'
import { jsonRows } from '../../rows/json-rows.ts'
import type { SinkContext, SinkRecord } from '../../sink.ts'
import { type SinkUnderTest, sinkContract } from '../../testing/sink-contract.ts'
import { ForeignFilesError, RowFormatError } from '../errors.ts'
import { csv } from './csv.ts'
import type { FileFormat } from './file-format.ts'
import { type FileSinkOptions, fileSink } from './file-sink.ts'
import { ndjson } from './ndjson.ts'
import { parquet } from './parquet.ts'

const partition = { topic: 'orders', partition: 2 }
function record(offset: number, key: unknown, value: unknown): SinkRecord {
  const bytes = (part: unknown) =>
    part === null ? null : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
  return { ...partition, offset, key: bytes(key), value: bytes(value), timestamp: 0, headers: [] }
}
const at = (offset: number) => [{ ...partition, offset }]

class World {
  readonly environment = memoryEnvironment()
  readonly context: SinkContext = {
    signal: new AbortController().signal,
    environment: this.environment,
    report: () => undefined
  }

  sink(options: Partial<FileSinkOptions> = {}) {
    return fileSink({ name: 'files', directory: '/out', format: ndjson(), rows: jsonRows(), ...options })
  }

  names(): string[] {
    return this.environment.files
      .list('/out')
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('.'))
  }

  bytes(name: string): Buffer {
    return this.environment.files.readFile(`/out/${name}`)
  }
}

describe('the file sink', () => {
  it('writes to another file system than the log is on', async () => {
    const world = new World()
    const { files } = memoryEnvironment()
    const sink = world.sink({ fileSystem: files })
    await sink.open([partition], world.context)
    await sink.write([record(0, { id: 1 }, { n: 'a' })], at(1))
    await sink.close()
    expect(files.list('/out').map(({ name }) => name)).toContain(
      'orders+2+00000000000000000000-00000000000000000001.ndjson'
    )
    expect(world.environment.files.exists('/out')).toBe(false)
  })

  it('refuses a directory of a topic that was deleted, or of another log', async () => {
    const world = new World()
    const first = world.sink()
    await first.open([{ ...partition, topicId: 'one' }], world.context)
    await first.close()
    const empty = world.sink()
    await empty.open([{ ...partition, topicId: 'two' }], world.context)
    await empty.write([record(0, { id: 1 }, { n: 'a' }), record(1, { id: 2 }, { n: 'b' })], at(2))
    await empty.close()
    const before = world.names()
    const other = world.sink()
    await expect(other.open([{ ...partition, topicId: 'three' }], world.context)).rejects.toThrow(ForeignFilesError)
    const same = world.sink()
    expect(await same.open([{ ...partition, topicId: 'two' }], world.context)).toEqual(at(2))
    await expect(same.write([record(1, { id: 1 }, { n: 'a' })], at(2))).rejects.toThrow('another directory')
    await same.close()
    expect(world.names()).toEqual(before)
  })

  it('finishes files under the offsets in them, and goes on from their names', async () => {
    const world = new World()
    const first = world.sink({ rollRecords: 2 })
    expect(await first.open([partition], world.context)).toEqual([])
    await first.write([record(5, { id: 1 }, { n: 'a' })], at(6))
    expect(world.names()).toEqual(['orders+2+00000000000000000005.1.part'])
    await first.write([record(6, { id: 1 }, null)], at(9))
    expect(world.names()).toEqual(['orders+2+00000000000000000005-00000000000000000009.ndjson'])
    expect(String(world.bytes(world.names()[0] ?? ''))).toBe('{"id":1,"n":"a"}\n{"id":1,"__deleted":true}\n')
    await first.write([record(9, { id: 2 }, { n: 'b' })], at(10))
    await first.close()
    const second = world.sink()
    expect(await second.open([partition], world.context)).toEqual(at(10))
    await second.close()
  })

  it('drops what a crash left unfinished', async () => {
    const world = new World()
    const crashed = world.sink()
    await crashed.open([partition], world.context)
    await crashed.write([record(0, { id: 1 }, { n: 1 })], at(1))
    const heir = world.sink()
    // The group has heard of offset 1: the directory says that it has nothing of it.
    expect(await heir.open([partition], world.context)).toEqual(at(0))
    expect(world.names()).toEqual([])
    await heir.write([record(0, { id: 1 }, { n: 1 }), record(1, { id: 2 }, { n: 2 })], at(2))
    await heir.close()
    // What it wrote is not lost: the heir has it.
    await crashed.close()
    expect(world.names()).toEqual(['orders+2+00000000000000000000-00000000000000000002.ndjson'])
  })

  it('says where a partition began before its first file is finished, also behind records that are no rows', async () => {
    const world = new World()
    const crashed = world.sink({ rows: debeziumRows() })
    await crashed.open([partition], world.context)
    await crashed.write([record(4, null, { op: 't' })], at(5))
    await crashed.write([record(5, { id: 1 }, { op: 'c', after: { id: 1 } })], at(6))
    expect(await world.sink().open([partition], world.context)).toEqual(at(5))
    await expect(crashed.write([record(6, { id: 1 }, { op: 'm' })], at(7))).resolves.toBeUndefined()
    const zombie = world.sink({ rows: debeziumRows() })
    await zombie.open([partition], world.context)
    await world.sink().open([partition], world.context)
    await expect(zombie.write([], at(9))).rejects.toThrow(SinkFencedError)
  })

  it('finishes a file when its time is over, though nothing more comes', async () => {
    const world = new World()
    const sink = world.sink({ rollInterval: 5 })
    await sink.open([partition], world.context)
    await sink.write([record(0, { id: 1 }, { n: 1 })], at(1))
    await expect.poll(() => world.names()).toEqual(['orders+2+00000000000000000000-00000000000000000001.ndjson'])
    await sink.close()
  })

  it.each([
    ['write', 'ENOSPC'],
    ['write', 'EIO'],
    ['rename', 'EROFS'],
    ['sync', 'EIO'],
    ['open', 'EACCES']
  ])(
    'blames no record for a directory where %s fails with %s, loses nothing and leaves nothing open',
    async (operation, code) => {
      const world = new World()
      const disk = failingFiles(world.environment.files)
      const environment = { ...world.environment, files: disk.files }
      const sink = world.sink({ rollRecords: 2 })
      const context = { ...world.context, environment }
      await sink.open([partition], context)
      const [first, second] = [record(0, { id: 1 }, {}), record(1, { id: 2 }, {})]
      if (operation !== 'open') await sink.write([first], at(1))
      disk.fail(operation, code)
      const failing = operation === 'open' ? sink.write([first], at(1)) : sink.write([second], at(2))
      await expect(failing).rejects.toMatchObject({ code: 'CONNECTORS_SINK_DIRECTORY', cause: { systemCode: code } })
      await sink.close().catch(() => undefined)
      expect(disk.open()).toBe(0)
      disk.mend()
      const [next = { offset: 0 }] = await sink.open([partition], context)
      await sink.write([first, second].slice(next.offset), at(2))
      await sink.close()
      const lines = world.names().flatMap((name) => String(world.bytes(name)).trimEnd().split('\n'))
      expect(lines).toEqual(['{"id":1}', '{"id":2}'])
      expect(disk.open()).toBe(0)
    }
  )

  it('finishes a file whose time is over when the disk takes it again, though nothing more comes', async () => {
    const world = new World()
    const disk = failingFiles(world.environment.files)
    const events: string[] = []
    const report = ({ code }: { readonly code: string }) => {
      events.push(code)
      disk.mend()
    }
    const sink = world.sink({ rollInterval: 5 })
    await sink.open([partition], { ...world.context, report, environment: { ...world.environment, files: disk.files } })
    // Before its time can be over.
    disk.fail('rename', 'EIO')
    await sink.write([record(0, { id: 1 }, {})], at(1))
    await expect.poll(() => world.names()).toEqual(['orders+2+00000000000000000000-00000000000000000001.ndjson'])
    expect(events).toEqual(['file-not-finished'])
    await sink.close()
  })

  it('takes a batch again that failed in part', async () => {
    const world = new World()
    const sink = world.sink({ format: parquet({ writer, columns: { id: 'INT64', n: 'DOUBLE' } }) })
    const other = { topic: 'orders', partition: 3 }
    await sink.open([partition, other], world.context)
    const good = record(0, { id: 1 }, { n: 1 })
    const bad = { ...record(0, { id: 2 }, { n: 'many' }), partition: 3 }
    const offsets = [...at(1), { ...other, offset: 1 }]
    await expect(sink.write([good, bad], offsets)).rejects.toThrow(RowFormatError)
    await sink.write([good], offsets)
    await sink.close()
    const [name = ''] = world.names()
    expect(await readParquet(world.bytes(name))).toEqual([{ id: 1n, n: 1, __deleted: false }])
  })
})

/** Files of which an operation fails from now on, and how many are open. */
function failingFiles(files: FileSystem) {
  let failing: { readonly operation: string; readonly systemCode: string } | undefined
  let open = 0
  const check = (operation: string, path: string) => {
    if (failing?.operation !== operation) return
    throw new FileSystemError({ message: `cannot ${operation} ${path}`, path, systemCode: failing.systemCode })
  }
  const over: Partial<FileSystem> = {
    open(path, how) {
      check('open', path)
      const file = files.open(path, how)
      open++
      return {
        path,
        size: () => file.size(),
        read: (target, position) => file.read(target, position),
        write(chunks, position) {
          check('write', path)
          file.write(chunks, position)
        },
        truncate: (sizeBytes) => file.truncate(sizeBytes),
        async datasync() {
          check('sync', path)
          await file.datasync()
        },
        close() {
          open--
          file.close()
        }
      }
    },
    rename(from, to) {
      check('rename', from)
      files.rename(from, to)
    }
  }
  const proxy = new Proxy(files, {
    get(target, name) {
      const found: unknown = Reflect.get(over, name) ?? Reflect.get(target, name)
      return typeof found === 'function' ? found.bind(target) : found
    }
  })
  return {
    files: proxy,
    open: () => open,
    fail: (operation: string, systemCode: string) => {
      failing = { operation, systemCode }
    },
    mend: () => {
      failing = undefined
    }
  }
}

async function readParquet(bytes: Buffer) {
  return parquetReadObjects({ file: new Uint8Array(bytes).buffer })
}

async function written(format: FileFormat, records: readonly SinkRecord[]): Promise<Buffer> {
  const world = new World()
  const sink = world.sink({ format })
  await sink.open([partition], world.context)
  await sink.write(records, at(records.length))
  await sink.close()
  return world.bytes(world.names()[0] ?? '')
}

describe('formats', () => {
  const records = [
    record(0, { id: 1 }, { name: 'a "b", c', tags: ['x'], empty: '', none: null }),
    record(1, { id: 2 }, null)
  ]

  it('csv quotes what needs it, tells empty from null, and marks deletes', async () => {
    const bytes = await written(csv({ columns: ['id', 'name', 'tags', 'empty', 'none'] }), records)
    expect(String(bytes)).toBe(
      'id,name,tags,empty,none,__deleted\r\n1,"a ""b"", c","[""x""]","",,false\r\n2,,,,,true\r\n'
    )
  })

  it('parquet writes JSON with the digits that it has, and batches of any size', async () => {
    const bytes = await written(parquet({ writer, columns: { doc: 'JSON' } }), [
      record(0, { id: 1 }, '{"doc":[{"n":12345678901234567890}]}')
    ])
    expect(bytes.includes('[{"n":12345678901234567890}]')).toBe(true)
    const many = Array.from({ length: 200_000 }, (_, i) => record(i, null, { n: i }))
    const all = await readParquet(await written(parquet({ writer, columns: { n: 'INT32' } }), many))
    expect(all).toHaveLength(many.length)
  })

  it('parquet keeps types', async () => {
    const columns = { id: 'INT32', name: 'STRING', tags: 'JSON', none: 'TIMESTAMP' } as const
    expect(await readParquet(await written(parquet({ writer, columns }), records))).toEqual([
      { id: 1, name: 'a "b", c', tags: ['x'], none: null, __deleted: false },
      { id: 2, name: null, tags: null, none: null, __deleted: true }
    ])
  })
})

describe('the contract of sinks, of the file sink', () => {
  async function makeSink(): Promise<SinkUnderTest> {
    const environment = memoryEnvironment()
    const { files } = environment
    const sink = () => {
      const inner = fileSink({ name: 'files', directory: '/out', format: ndjson(), rows: jsonRows(), rollInterval: 10 })
      const open: typeof inner.open = (partitions, context) =>
        inner.open(partitions, { ...context, environment: { ...context.environment, files } })
      return { ...inner, open }
    }
    return {
      mode: 'append',
      sink,
      record: (id, content) => ({
        key: Buffer.from(JSON.stringify({ id })),
        value: Buffer.from(JSON.stringify({ content }))
      }),
      poison: () => ({ key: Buffer.from('{"id":"bad"}'), value: Buffer.from('no JSON') }),
      read: async () =>
        files
          .list(files.exists('/out') ? '/out' : '/')
          .filter(({ name }) => name.endsWith('.ndjson'))
          .flatMap(({ name }) =>
            String(files.readFile(`/out/${name}`))
              .trimEnd()
              .split('\n')
          )
          .map((line) => JSON.parse(line))
          .map(({ id, content }) => [id, content]),
      close: async () => undefined
    }
  }

  for (const { name, run } of sinkContract(makeSink)) it(name, run)
})
