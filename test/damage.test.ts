import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyDirectory, filesBelow, type Inspection, inspect, makeDataDirectory } from './damage/data-directory.ts'
import { judge } from './damage/judge.ts'
import { mutations } from './damage/mutation.ts'

/** All files, at other places: `DAMAGE_SHARE=1 DAMAGE_SEED=7`. */
const SHARE = Number(process.env.DAMAGE_SHARE ?? 0.3)
const SEED = Number(process.env.DAMAGE_SEED ?? 1)

let root: string
/** The directory as it was left in order, and as a killed process leaves it. */
const pristine = { closed: '', killed: '' }
const expected: { closed?: Inspection; killed?: Inspection } = {}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'millrace-damage-'))
  pristine.closed = join(root, 'closed')
  pristine.killed = join(root, 'killed')
  const made = await makeDataDirectory(pristine.closed)
  copyDirectory(pristine.closed, pristine.killed)
  await made.close()
  for (const how of ['closed', 'killed'] as const) {
    copyDirectory(pristine[how], join(root, 'undamaged'))
    expected[how] = await inspect(join(root, 'undamaged'))
    rmSync(join(root, 'undamaged'), { recursive: true })
  }
}, 60_000)
afterAll(() => rmSync(root, { recursive: true }))

describe('damage in any file of a data directory', { timeout: 300_000 }, () => {
  it('is not there in the undamaged one', () => {
    for (const inspection of Object.values(expected)) {
      expect(inspection.events.filter(({ kind }) => kind !== 'damage')).toEqual([])
      expect([...inspection.unread]).toEqual([])
      expect(inspection.rebuilt).toEqual([])
      expect(inspection.store.length).toBeGreaterThan(20)
    }
    expect(filesBelow(pristine.closed).length).toBeGreaterThan(80)
  })

  it.each(['closed', 'killed'] as const)(
    'is named or harmless, and costs at most the damaged batch (%s)',
    async (how) => {
      const directory = join(root, 'damaged')
      const failures: string[] = []
      const seen = { harmless: 0, refused: 0, named: 0 }
      for (const mutation of mutations(pristine[how], { seed: SEED, share: SHARE })) {
        copyDirectory(pristine[how], directory)
        const path = join(directory, mutation.file)
        writeFileSync(path, mutation.apply(readFileSync(path)))
        const verdict = await judge(directory, mutation, expected[how])
        if (verdict.kind === 'wrong') failures.push(`${mutation.text}: ${verdict.what}`)
        else seen[verdict.kind]++
        rmSync(directory, { recursive: true })
      }
      expect(failures).toEqual([])
      expect(seen.named).toBeGreaterThan(5)
    }
  )
})
