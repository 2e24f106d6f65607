import { describe, expect, it } from 'vitest'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { noteFailedSync, SYNC_FAILED, settleAfterCrash } from './after-crash.ts'

const LOG = '/data/clicks-0/00000000000000000000.log'

/** Power cuts lose chance's share of what is not synced, so a loss shows in some of many worlds. */
async function afterManyCuts(seed: (world: SimulatedWorld) => Promise<string>): Promise<Set<string>> {
  const found = new Set<string>()
  for (let i = 0; i < 40; i++) found.add(await seed(new SimulatedWorld({ seed: i })))
  return found
}

async function cutAndRead(world: SimulatedWorld): Promise<string> {
  const machine = world.machine('m')
  machine.powerCut()
  const { files } = machine.restart()
  return files.exists(LOG) ? files.readFile(LOG).toString('latin1') : 'gone'
}

async function makeLog(world: SimulatedWorld, content: string): Promise<void> {
  const { files } = world.machine('m').environment
  files.makeDirectory('/data')
  await world.run(files.syncDirectory('/'))
  files.makeDirectory('/data/clicks-0')
  const file = files.open(LOG, 'create')
  file.write([Buffer.from(content)], 0)
  await world.run(file.datasync())
}

describe('settling a directory after a crash', () => {
  it('keeps what a killed process wrote and synced under names that it had not synced', async () => {
    const found = await afterManyCuts(async (world) => {
      await makeLog(world, 'acknowledged')
      const machine = world.machine('m')
      machine.kill()
      await world.run(settleAfterCrash(machine.restart().files, '/data'))
      return cutAndRead(world)
    })
    expect([...found]).toEqual(['acknowledged'])
  })

  it('writes again what a failed sync left in the page cache', async () => {
    const content = 'x'.repeat(20_000)
    const world = async (world: SimulatedWorld, noted: boolean) => {
      await makeLog(world, '')
      const machine = world.machine('m')
      machine.disk.options = { fault: (operation) => (operation === 'sync' ? 'EIO' : undefined) }
      const file = machine.environment.files.open(LOG, 'write')
      file.write([Buffer.from(content)], 0)
      await expect(world.run(file.datasync())).rejects.toThrow('EIO')
      if (noted) noteFailedSync(machine.environment.files, '/data')
      machine.disk.options = {}
      machine.kill()
      const { files } = machine.restart()
      expect(files.readFile(LOG).toString('latin1')).toBe(content)
      await world.run(settleAfterCrash(files, '/data'))
      expect(files.exists(`/data/${SYNC_FAILED}`)).toBe(false)
      await world.run(files.open(LOG, 'write').datasync())
      return cutAndRead(world)
    }
    expect([...(await afterManyCuts((each) => world(each, true)))]).toEqual([content])
    // Without the note a sync that works says nothing of the one that failed.
    expect((await afterManyCuts((each) => world(each, false))).size).toBeGreaterThan(1)
  })

  it('keeps the note while the disk still fails', async () => {
    const world = new SimulatedWorld({ seed: 1 })
    await makeLog(world, 'x')
    const machine = world.machine('m')
    const { files } = machine.environment
    noteFailedSync(files, '/data')
    machine.disk.options = { fault: (operation) => (operation === 'sync' ? 'EIO' : undefined) }
    await expect(world.run(settleAfterCrash(files, '/data'))).rejects.toThrow('EIO')
    expect(files.exists(`/data/${SYNC_FAILED}`)).toBe(true)
  })
})
