import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InputFileError } from './errors.ts'
import { identifyFile, type LineBatch, readLines } from './line-reader.ts'

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-lines-'))
  file = join(directory, 'access.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

async function read(position: number, takeRest: boolean, batchLines = 2): Promise<LineBatch[]> {
  const batches: LineBatch[] = []
  for await (const batch of readLines(file, { position, takeRest, batchLines })) batches.push(batch)
  return batches
}

describe.each([
  ['plain', (bytes: Buffer) => bytes],
  ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  [
    'gzip of two members',
    (bytes: Buffer) => Buffer.concat([gzipSync(bytes.subarray(0, 4)), gzipSync(bytes.subarray(4))])
  ]
])('readLines of a %s file', (_, pack) => {
  it('gives lines with the position after them, whatever their line ends', async () => {
    writeFileSync(file, pack(Buffer.from('one\r\ntwo\nthr\xe9e\nfour', 'latin1')))
    expect(await read(0, true)).toEqual([
      { lines: ['one', 'two'], position: 9 },
      { lines: ['thr\xe9e'], position: 15 },
      { lines: ['four'], position: 19 }
    ])
  })

  it('leaves an unterminated line for later, and goes on from any position it gave', async () => {
    writeFileSync(file, pack(Buffer.from('one\r\ntwo\nthree\nfour', 'latin1')))
    expect((await read(0, false)).at(-1)).toEqual({ lines: ['three'], position: 15 })
    expect(await read(9, true)).toEqual([
      { lines: ['three'], position: 15 },
      { lines: ['four'], position: 19 }
    ])
    expect(await read(19, true)).toEqual([])
  })

  it('says that a file shrank', async () => {
    writeFileSync(file, pack(Buffer.from('one\ntwo\n')))
    await expect(read(100, true)).rejects.toThrow(/shrank: 100 bytes were read of it before, it has 8 now/)
  })
})

describe('readLines', () => {
  it('says that a gzip file is cut', async () => {
    const packed = gzipSync(Buffer.from('one\ntwo\n'.repeat(1000)))
    writeFileSync(file, packed)
    truncateSync(file, packed.length - 10)
    await expect(read(0, true)).rejects.toBeInstanceOf(InputFileError)
  })

  it('says that a file is missing', async () => {
    await expect(read(0, true)).rejects.toThrow(/cannot be opened/)
  })
})

describe('identifyFile', () => {
  it('keeps the identity of a short file when it grows', () => {
    writeFileSync(file, 'short')
    const before = identifyFile(file)
    writeFileSync(file, `short${'x'.repeat(2000)}`)
    expect(identifyFile(file, before.hashedBytes)).toEqual(before)
    expect(identifyFile(file).hashedBytes).toBe(1024)
  })
})
