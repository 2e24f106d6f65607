import assert from 'node:assert/strict'
import { writeFileAtomically } from '../environment/atomic-file.ts'
import type { FileSystem } from '../environment/environment.ts'
import { FileSystemError, LockHeldError } from '../errors.ts'
import type { ContractCase } from './contract-case.ts'

/** A file system under test and an empty directory in it. */
export interface FileSystemUnderTest {
  readonly files: FileSystem
  readonly directory: string
}

/** What every FileSystem promises. `make` is called once per case. */
export function fileSystemContract(make: () => FileSystemUnderTest): readonly ContractCase[] {
  return [...contentCases, ...openingCases, ...nameCases, ...directoryCases, ...lockCases].map(([name, check]) => ({
    name,
    run: async () => check(make())
  }))
}

type Check = readonly [name: string, check: (under: FileSystemUnderTest) => Promise<void> | void]

const contentCases: readonly Check[] = [
  [
    'reads back what was written, at any position',
    ({ files, directory }) => {
      const file = files.open(`${directory}/a`, 'create')
      file.write([Buffer.from('hello '), Buffer.from('world')], 0)
      file.write([Buffer.from('W')], 6)
      const target = Buffer.alloc(20)
      assert.equal(file.read(target, 3), 8)
      assert.equal(target.toString('latin1', 0, 8), 'lo World')
      assert.equal(file.read(target, 11), 0)
      assert.equal(file.size(), 11)
      file.close()
      assert.equal(files.readFile(`${directory}/a`).toString(), 'hello World')
    }
  ],
  [
    'fills a gap and a regrown end with zeros',
    ({ files, directory }) => {
      const file = files.open(`${directory}/a`, 'create')
      file.write([Buffer.from('abcdef')], 3)
      file.truncate(5)
      file.truncate(7)
      file.close()
      assert.deepEqual(files.readFile(`${directory}/a`), Buffer.from('\0\0\0ab\0\0'))
    }
  ],
  [
    'handles writes over page borders and many chunks',
    ({ files, directory }) => {
      const file = files.open(`${directory}/a`, 'create')
      const chunks = Array.from({ length: 3000 }, (_, index) => Buffer.alloc(1000, index % 251))
      file.write(chunks, 123)
      const expected = Buffer.concat([Buffer.alloc(123), ...chunks])
      assert.equal(file.size(), expected.length)
      const part = Buffer.alloc(5000)
      assert.equal(file.read(part, (1 << 20) - 2500), 5000)
      assert.ok(part.equals(expected.subarray((1 << 20) - 2500, (1 << 20) + 2500)))
      file.close()
      assert.ok(files.readFile(`${directory}/a`).equals(expected))
    }
  ],
  [
    'syncs, also when closed meanwhile',
    async ({ files, directory }) => {
      const file = files.open(`${directory}/a`, 'create')
      file.write([Buffer.from('x')], 0)
      await Promise.all([file.datasync(), file.datasync()])
      const last = file.datasync()
      file.close()
      await last
      await assert.rejects(file.datasync(), hasCode('EBADF'))
    }
  ],
  [
    'refuses a closed handle, and writing through a reading one',
    ({ files, directory }) => {
      const file = files.open(`${directory}/a`, 'create')
      file.close()
      file.close()
      assert.throws(() => file.read(Buffer.alloc(1), 0), hasCode('EBADF'))
      assert.throws(() => file.write([Buffer.alloc(1)], 0), hasCode('EBADF'))
      assert.throws(() => file.size(), hasCode('EBADF'))
      const reader = files.open(`${directory}/a`, 'read')
      assert.throws(() => reader.write([Buffer.alloc(1)], 0), FileSystemError)
      assert.throws(() => reader.truncate(0), FileSystemError)
      reader.close()
    }
  ]
]

const openingCases: readonly Check[] = [
  [
    'opens by mode: create is exclusive, write makes or keeps, read needs the file',
    ({ files, directory }) => {
      const path = `${directory}/a`
      assert.throws(() => files.open(path, 'read'), hasCode('ENOENT', path))
      writeText(files, path, 'kept')
      assert.throws(() => files.open(path, 'create'), hasCode('EEXIST', path))
      files.open(path, 'write').close()
      assert.equal(files.readFile(path).toString(), 'kept')
      assert.throws(() => files.open(`${directory}/missing/a`, 'write'), hasCode('ENOENT'))
      assert.throws(() => files.readFile(`${directory}/b`), hasCode('ENOENT', `${directory}/b`))
    }
  ],
  [
    'keeps an open file readable after rename and remove',
    ({ files, directory }) => {
      writeText(files, `${directory}/a`, 'same')
      const file = files.open(`${directory}/a`, 'read')
      files.rename(`${directory}/a`, `${directory}/b`)
      files.remove(`${directory}/b`)
      const target = Buffer.alloc(4)
      assert.equal(file.read(target, 0), 4)
      assert.equal(target.toString(), 'same')
      file.close()
      assert.deepEqual(files.list(directory), [])
    }
  ]
]

const nameCases: readonly Check[] = [
  [
    'knows one path of a file, however it is written',
    ({ files, directory }) => {
      writeText(files, `${directory}/a`, 'text')
      const path = files.realPath(`${directory}/a`)
      assert.equal(files.realPath(`${directory}/./a`), path)
      assert.equal(files.realPath(path), path)
      assert.throws(() => files.realPath(`${directory}/none`), hasCode('ENOENT', `${directory}/none`))
    }
  ],
  [
    'rename replaces a file',
    ({ files, directory }) => {
      writeText(files, `${directory}/new`, 'new')
      writeText(files, `${directory}/old`, 'old')
      files.rename(`${directory}/new`, `${directory}/old`)
      assert.equal(files.readFile(`${directory}/old`).toString(), 'new')
      assert.equal(files.exists(`${directory}/new`), false)
      assert.throws(() => files.rename(`${directory}/none`, `${directory}/x`), hasCode('ENOENT', `${directory}/none`))
    }
  ],
  [
    'remove needs the file',
    ({ files, directory }) => {
      writeText(files, `${directory}/a`, 'a')
      files.remove(`${directory}/a`)
      assert.throws(() => files.remove(`${directory}/a`), hasCode('ENOENT', `${directory}/a`))
    }
  ],
  [
    'writes a file atomically and leaves nothing beside it',
    async ({ files, directory }) => {
      writeText(files, `${directory}/a.tmp`, 'something longer, left by a crash')
      await writeFileAtomically(files, `${directory}/a`, Buffer.from('first'))
      await writeFileAtomically(files, `${directory}/a`, Buffer.from('next'))
      assert.equal(files.readFile(`${directory}/a`).toString(), 'next')
      assert.deepEqual(files.list(directory), [{ name: 'a', kind: 'file' }])
    }
  ]
]

const directoryCases: readonly Check[] = [
  [
    'makes, lists, renames and removes directories',
    async ({ files, directory }) => {
      files.makeDirectory(`${directory}/x/y`)
      files.makeDirectory(`${directory}/x/y`)
      writeText(files, `${directory}/x/b`, '1')
      writeText(files, `${directory}/x/B`, '2')
      assert.deepEqual(files.list(`${directory}/x`), [
        { name: 'B', kind: 'file' },
        { name: 'b', kind: 'file' },
        { name: 'y', kind: 'directory' }
      ])
      await files.syncDirectory(`${directory}/x`)
      files.rename(`${directory}/x`, `${directory}/z`)
      assert.equal(files.readFile(`${directory}/z/b`).toString(), '1')
      files.removeDirectory(`${directory}/z`)
      files.removeDirectory(`${directory}/z`)
      assert.equal(files.exists(`${directory}/z/b`), false)
      assert.deepEqual(files.list(directory), [])
    }
  ],
  [
    'tells files from directories and what is missing',
    async ({ files, directory }) => {
      files.makeDirectory(`${directory}/x`)
      writeText(files, `${directory}/a`, 'four')
      assert.equal(files.stat(`${directory}/x`).kind, 'directory')
      const stat = files.stat(`${directory}/a`)
      assert.deepEqual([stat.kind, stat.sizeBytes, Number.isInteger(stat.modifiedMs)], ['file', 4, true])
      assert.throws(() => files.stat(`${directory}/b`), hasCode('ENOENT', `${directory}/b`))
      assert.throws(() => files.list(`${directory}/b`), hasCode('ENOENT'))
      assert.throws(() => files.readFile(`${directory}/x`), hasCode('EISDIR'))
      assert.throws(() => files.makeDirectory(`${directory}/a/b`), FileSystemError)
      await assert.rejects(files.syncDirectory(`${directory}/b`), hasCode('ENOENT'))
    }
  ]
]

const lockCases: readonly Check[] = [
  [
    'a lock excludes a second taker, names the holder and can be taken again',
    ({ files, directory }) => {
      const lock = files.lock(`${directory}/.lock`, 'the first')
      assert.throws(
        () => files.lock(`${directory}/.lock`, 'the second'),
        (error) => error instanceof LockHeldError && error.holder === 'the first' && error.path === `${directory}/.lock`
      )
      const other = files.lock(`${directory}/.other`, 'another file')
      lock.release()
      lock.release()
      const again = files.lock(`${directory}/.lock`, 'the third')
      lock.release()
      assert.throws(() => files.lock(`${directory}/.lock`, 'the fourth'), LockHeldError)
      again.release()
      other.release()
    }
  ],
  [
    'a lock needs its directory',
    ({ files, directory }) => {
      assert.throws(() => files.lock(`${directory}/missing/.lock`, 'me'), hasCode('ENOENT'))
    }
  ]
]

function writeText(files: FileSystem, path: string, text: string): void {
  const file = files.open(path, 'write')
  file.write([Buffer.from(text)], 0)
  file.close()
}

function hasCode(systemCode: string, path?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FileSystemError, String(error))
    assert.equal(error.systemCode, systemCode)
    if (path !== undefined) assert.equal(error.path, path)
    return true
  }
}
