import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '@millrace/log'
import { SeededRandom } from '@millrace/log/testing'
import { expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { LevelEngine } from './level-engine.ts'
import { TaskStores } from './task-stores.ts'

const windows: StoreDefinition = {
  name: 'windows',
  kind: 'window',
  key: string(),
  value: long(),
  named: true,
  retentionMs: 20,
  windowSizeMs: 1
}

/** What a life takes is the start of a process and what the disk makes of the syncs. */
const LIMIT_MS = 600_000

/** Commits one window after the other, 2,000 keys in each, and says the number of each commit when it is durable. */
const program = `
import { realEnvironment } from ${JSON.stringify(new URL('../../../log/src/index.ts', import.meta.url).href)}
import { string } from ${JSON.stringify(new URL('../serde/string.ts', import.meta.url).href)}
import { long } from ${JSON.stringify(new URL('../serde/long.ts', import.meta.url).href)}
import { LevelEngine } from ${JSON.stringify(new URL('./level-engine.ts', import.meta.url).href)}
import { TaskStores } from ${JSON.stringify(new URL('./task-stores.ts', import.meta.url).href)}
const windows = { ...${JSON.stringify({ ...windows, key: undefined, value: undefined })}, key: string(), value: long() }
const engine = await LevelEngine.open(process.argv[1], realEnvironment())
const stores = await TaskStores.open({ definitions: [windows], engine })
for (let commit = (stores.identity('windows')?.offset ?? 0) + 1; ; commit++) {
  for (let i = 0; i < 2000; i++) stores.window('windows').put('some-key-' + i, commit, commit * 2000 + i, commit)
  stores.expire('windows', commit - 19)
  const changelogOffsets = new Map([['windows', { offset: commit, leaderEpoch: 0 }]])
  await stores.apply({ changelogOffsets, time: Buffer.alloc(0), nowMs: commit })
  console.log(commit)
}`

it('a store killed at any instant is at its last commit, and never taken for damaged', {
  timeout: LIMIT_MS
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const random = new SeededRandom(5)
  let last = 0
  for (let life = 0; life < 7; life++) {
    const said = await runAndKill(directory, last + 1 + random.below(50))
    const stores = await TaskStores.open({
      definitions: [windows],
      engine: await LevelEngine.open(directory, realEnvironment())
    })
    const found = stores.identity('windows')?.offset ?? 0
    // The line about a commit may be lost on its way, the commit not.
    expect(found).toBeGreaterThanOrEqual(said)
    expect(found).toBeLessThanOrEqual(said + 2)
    const perWindow = new Map<number, number>()
    for await (const page of stores.committed('windows').all()) {
      for (const { windowStartMs } of page) perWindow.set(windowStartMs, (perWindow.get(windowStartMs) ?? 0) + 1)
    }
    const starts = Array.from({ length: Math.min(found, 20) }, (_, i) => found - i).reverse()
    expect([...perWindow]).toEqual(starts.map((start) => [start, 2000]))
    await stores.close()
    last = found
  }
  rmSync(directory, { recursive: true, force: true })
})

/** Kills the writer at once when it said that commit `until` is durable; returns the last one that it said. */
async function runAndKill(directory: string, until: number): Promise<number> {
  const arguments_ = ['--conditions=source', '--input-type=module-typescript', '-e', program, directory]
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
    if (lastNumber(text) >= until) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return lastNumber(text)
}

function lastNumber(text: string): number {
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1) ?? 0)
}
