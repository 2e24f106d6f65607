import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openRegistry } from '@millrace/connectors/schemas'
import { openLog } from '@millrace/log'
import { afterAll, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
const job = fileURLToPath(new URL('./registry-job.ts', import.meta.url))
const TEST_LIMIT_MS = 600_000

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Runs the job and kills it in the middle of its work, once it has acknowledged so many registrations; what it acknowledged. */
async function killedAfter(acknowledgements: number, first: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=source', job, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const gone = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') continue
    lines.push(line)
    if (lines.length === acknowledgements) child.kill('SIGKILL')
  }
  await gone
  return lines
}

it('a registry that is killed has, when it is back, every id that it gave', { timeout: TEST_LIMIT_MS }, async () => {
  const idOf = new Map<string, number>()
  const subjectsOf = new Map<string, Set<string>>()
  let next = 0
  for (const acknowledgements of [1, 40, 97, 160]) {
    for (const line of await killedAfter(acknowledgements, next)) {
      const [subject, name, id] = line.split(' ')
      expect(Number(id), `${name} in ${subject}`).toBe(idOf.get(name) ?? Number(id))
      idOf.set(name, Number(id))
      subjectsOf.set(name, (subjectsOf.get(name) ?? new Set()).add(subject))
      next = Math.max(next, Number(name.slice(1)))
    }
    const log = await openLog(`file:${directory}`)
    const registry = await openRegistry({ log })
    for (const [name, id] of idOf) {
      expect((await registry.schemaById(id)).schema).toContain(`"${name}"`)
      for (const subject of subjectsOf.get(name) ?? []) {
        const found = registry.state.versions(subject).filter(({ schema }) => schema.includes(`"${name}"`))
        expect(found.map((version) => version.id)).toEqual([id])
      }
    }
    for (const subject of registry.state.subjects()) {
      const versions = registry.state.versions(subject).map(({ version }) => version)
      expect(versions).toEqual(versions.map((_, index) => index + 1))
    }
    await registry.close()
    await log.close()
  }
  expect(new Set(idOf.values()).size).toBe(idOf.size)
  expect(idOf.size).toBeGreaterThan(50)
})
