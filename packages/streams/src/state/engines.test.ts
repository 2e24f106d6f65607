import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryEnvironment, realEnvironment } from '@millrace/log'
import { afterAll, describe, it } from 'vitest'
import { engineContract } from '../testing/engine-contract.ts'
import { FileEngine } from './file-engine.ts'
import { LevelEngine } from './level-engine.ts'
import { MemoryEngine } from './memory-engine.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-engines-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('memory engine', () => {
  const cases = engineContract(() => ({ open: async () => new MemoryEngine(), durable: false }))
  for (const { name, run } of cases) it(name, run)
})

describe('file engine', () => {
  const cases = engineContract(() => {
    const environment = memoryEnvironment()
    return { open: () => FileEngine.open('/state', environment), durable: true }
  })
  for (const { name, run } of cases) it(name, run)
})

describe('LevelDB engine', () => {
  const cases = engineContract(() => {
    const path = mkdtempSync(join(root, 'level-'))
    return { open: () => LevelEngine.open(path, realEnvironment()), durable: true }
  })
  for (const { name, run } of cases) it(name, run)
})
