import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { FileSystemError } from '../errors.ts'
import { fileSystemContract } from '../testing/file-system-contract.ts'
import { memoryEnvironment } from './memory-environment.ts'
import { realEnvironment } from './real-environment.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-files-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('real files', () => {
  const cases = fileSystemContract(() => ({
    files: realEnvironment().files,
    directory: mkdtempSync(join(root, 'case-'))
  }))
  for (const { name, run } of cases) it(name, run)

  it('says what to do when the disk is full', () => {
    const file = realEnvironment().files.open('/dev/full', 'write')
    const failure = (() => {
      try {
        file.write([Buffer.from('x')], 0)
        return undefined
      } catch (error) {
        return error
      } finally {
        file.close()
      }
    })()
    expect(failure).toBeInstanceOf(FileSystemError)
    expect(failure).toMatchObject({ systemCode: 'ENOSPC', path: '/dev/full', code: 'MILLRACE_FILE_SYSTEM' })
    expect(String(failure)).toMatch(/free some space/)
  })

  it.skipIf(process.platform !== 'linux')('refuses to make a directory where there can be none', () => {
    const { files } = realEnvironment()
    expect(() => files.makeDirectory('/proc/nowhere/at/all')).toThrow('cannot make directory /proc/nowhere/at/all')
  })
})

describe('memory files', () => {
  const cases = fileSystemContract(() => {
    const { files } = memoryEnvironment()
    files.makeDirectory('/here')
    return { files, directory: '/here' }
  })
  for (const { name, run } of cases) it(name, run)
})
