import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '@millrace/log'
import { SeededRandom } from '@millrace/log/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { StoreDamagedError } from './errors.ts'
import { LevelEngine } from './level-engine.ts'
import { TaskStores } from './task-stores.ts'

const definitions: readonly StoreDefinition[] = [
  { name: 'table', kind: 'key-value', key: string(), value: json(), named: true }
]
const root = mkdtempSync(join(tmpdir(), 'millrace-damage-'))
const original = join(root, 'original')

/** What the store held at each offset of its changelog: a damaged one may be an earlier one, never another one. */
const history = new Map<number, ReadonlyMap<string, unknown>>()

beforeAll(async () => {
  const random = new SeededRandom(1)
  const model = new Map<string, unknown>()
  let offset = 0
  // Several lives leave tables on several levels, a log and a manifest with many edits.
  for (let life = 0; life < 7; life++) {
    const stores = await open(original)
    const table = stores.keyValue('table')
    for (let commit = 0; commit < 12; commit++) {
      for (let i = 0; i < 150; i++) {
        const key = `key-${random.below(1500)}`
        const value = random.chance(0.2) ? null : { text: random.bytes(20 + random.below(120)).toString('base64') }
        table.put(key, value, offset)
        if (value === null) model.delete(key)
        else model.set(key, value)
      }
      offset++
      const changelogOffsets = new Map([['table', { offset, leaderEpoch: 0 }]])
      await stores.apply({ changelogOffsets, time: Buffer.alloc(8), nowMs: offset })
      history.set(offset, new Map(model))
    }
    await stores.close()
  }
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('a LevelDB directory', () => {
  it('opens undamaged with every entry', async () => {
    expect(await outcomeOf(() => undefined)).toBe('latest')
    expect(readdirSync(original).filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(0)
  })

  it('in which a byte is flipped answers right or not at all', async () => {
    const seen = await damageEach(120, (bytes, random) => {
      bytes[random.below(bytes.length)] ^= 1 << random.below(8)
    })
    expect(seen.get('damaged')).toBeGreaterThan(40)
  })

  it('in which a page is zeroed answers right or not at all', async () => {
    const seen = await damageEach(120, (bytes, random) => {
      const at = random.below(Math.ceil(bytes.length / 4096)) * 4096
      bytes.fill(0, at, Math.min(bytes.length, at + 4096))
    })
    expect(seen.get('damaged')).toBeGreaterThan(40)
  })

  it('of which a file is cut short or gone answers right or not at all', async () => {
    const seen = new Map<string, number>()
    for (const name of dataFiles()) {
      for (const keep of [undefined, 0, 0.5, 0.95]) {
        const outcome = await outcomeOf((directory) => {
          const path = join(directory, name)
          if (keep === undefined) rmSync(path)
          else writeFileSync(path, readFileSync(path).subarray(0, Math.floor(statSync(path).size * keep)))
        }, `${name} kept ${keep}`)
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
    }
    expect(seen.get('damaged')).toBeGreaterThan(8)
  })
})

/** Every file gets its share of the damage. */
async function damageEach(
  times: number,
  damage: (bytes: Buffer, random: SeededRandom) => void
): Promise<Map<string, number>> {
  const random = new SeededRandom(times)
  const seen = new Map<string, number>()
  const names = dataFiles()
  for (let time = 0; time < times; time++) {
    const name = names[time % names.length]
    const outcome = await outcomeOf((directory) => {
      const path = join(directory, name)
      const bytes = readFileSync(path)
      if (bytes.length > 0) damage(bytes, random)
      writeFileSync(path, bytes)
    }, `${name}, time ${time}`)
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }
  return seen
}

function dataFiles(): string[] {
  return readdirSync(original).filter((name) => name !== 'LOCK')
}

/** Damages a copy, opens it and reads every key there ever was; fails when an answer is wrong. */
async function outcomeOf(damage: (directory: string) => void, what = ''): Promise<'latest' | 'earlier' | 'damaged'> {
  const copy = join(root, 'copy')
  rmSync(copy, { recursive: true, force: true })
  cpSync(original, copy, { recursive: true })
  damage(copy)
  let stores: TaskStores | undefined
  try {
    stores = await open(copy)
    const offset = stores.identity('table')?.offset
    // Without an identity the store counts as new and is filled from the changelog's start.
    if (offset === undefined) return 'earlier'
    const expected = history.get(offset)
    const table = stores.keyValue('table')
    for (let i = 0; i < 1500; i++) {
      const key = `key-${i}`
      expect(table.get(key)?.value, `${what}: ${key} at offset ${offset}`).toEqual(expected?.get(key))
    }
    let entries = 0
    for await (const page of stores.committed('table').all()) entries += page.length
    expect(entries, `${what}: entries at offset ${offset}`).toBe(expected?.size)
    return offset === Math.max(...history.keys()) ? 'latest' : 'earlier'
  } catch (error) {
    if (error instanceof StoreDamagedError) return 'damaged'
    throw error
  } finally {
    await stores?.close()
  }
}

async function open(path: string): Promise<TaskStores> {
  const engine = await LevelEngine.open(path, realEnvironment())
  try {
    return await TaskStores.open({ definitions, engine, cacheEntries: 10 })
  } catch (error) {
    await engine.close()
    throw error
  }
}
