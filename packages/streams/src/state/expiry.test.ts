import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realEnvironment } from '@millrace/log'
import { expect, it } from 'vitest'
import type { StoreDefinition } from '../graph/node.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { LevelEngine } from './level-engine.ts'
import { TaskStores } from './task-stores.ts'

const windows: StoreDefinition = {
  name: 'windows',
  kind: 'window',
  key: string(),
  value: json(),
  named: true,
  retentionMs: 4000,
  windowSizeMs: 1000
}

it('the disk does not grow with windows that expired', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-expiry-'))
  const engine = await LevelEngine.open(directory, realEnvironment())
  const stores = await TaskStores.open({ definitions: [windows], engine })
  const filler = 'x'.repeat(1600)
  let writtenBytes = 0
  let largestBytes = 0
  for (let window = 0; window < 60; window++) {
    const startMs = window * 1000
    for (let key = 0; key < 400; key++) {
      stores.window('windows').put(`key-${key}`, startMs, { filler, key, window }, startMs)
      writtenBytes += filler.length
    }
    stores.expire('windows', startMs - 4000 + 1)
    await stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: startMs })
    await stores.spaceReturned()
    largestBytes = Math.max(largestBytes, await engine.sizeBytes())
  }
  expect(stores.window('windows').get('key-1', 50_000)).toBe(undefined)
  expect(stores.window('windows').get('key-1', 56_000)?.value).toEqual({ filler, key: 1, window: 56 })
  await stores.close()
  expect(writtenBytes).toBeGreaterThan(30 << 20)
  // Of sixty windows a few are there at any time.
  expect(largestBytes).toBeLessThan(writtenBytes / 5)

  const reopened = await LevelEngine.open(directory, realEnvironment())
  const again = await TaskStores.open({ definitions: [windows], engine: reopened })
  const starts = new Set<number>()
  for await (const page of again.committed('windows').all()) for (const entry of page) starts.add(entry.windowStartMs)
  expect([...starts]).toEqual([56_000, 57_000, 58_000, 59_000])
  await again.close()
  rmSync(directory, { recursive: true, force: true })
})
