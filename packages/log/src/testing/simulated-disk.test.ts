import { describe, expect, it } from 'vitest'
import { writeFileAtomically } from '../environment/atomic-file.ts'
import { makeDirectoryDurably } from '../environment/durable-directory.ts'
import type { FileHandle, FileSystem } from '../environment/environment.ts'
import { FileSystemError } from '../errors.ts'
import { fileSystemContract } from './file-system-contract.ts'
import { SimulatedWorld, simulatedEnvironment } from './simulated-world.ts'

describe('simulated files', () => {
  const directory = '/here'
  for (const { name } of fileSystemContract(() => ({ files: simulatedEnvironment({ seed: 0 }).files, directory }))) {
    it(name, async () => {
      const { files, world } = simulatedEnvironment({ seed: name })
      files.makeDirectory(directory)
      const contractCase = fileSystemContract(() => ({ files, directory })).find((each) => each.name === name)
      await world.run(contractCase?.run() ?? Promise.reject(new TypeError('no case')))
    })
  }
})

describe('a power cut', () => {
  it('keeps every byte that was synced and not touched since, for 400 seeds', async () => {
    let lost = 0
    for (let seed = 0; seed < 400; seed++) lost += await writeCutAndCheck(seed)
    expect(lost).toBeGreaterThan(1000)
  })

  it('knows from which byte on a file was not certain, until it is synced', async () => {
    const { files, world, machine } = simulatedEnvironment({ seed: 1 })
    const file = files.open('/f', 'create')
    await world.run(files.syncDirectory('/'))
    file.write([Buffer.alloc(1000, 1)], 0)
    await world.run(file.datasync())
    file.write([Buffer.alloc(1000, 2)], 2000)
    file.write([Buffer.alloc(1000, 3)], 1000)
    machine.powerCut()
    const again = machine.restart().files
    expect(machine.disk.uncertainFrom('/f')).toBe(1000)
    machine.powerCut()
    const third = machine.restart().files
    expect(machine.disk.uncertainFrom('/f')).toBe(1000)
    expect(again).not.toBe(third)
    const kept = third.open('/f', 'write')
    await world.run(kept.datasync())
    expect(machine.disk.uncertainFrom('/f')).toBe(Number.POSITIVE_INFINITY)
  })

  it('keeps a synced name, and each other one for itself', async () => {
    const found = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const { files, world, machine } = simulatedEnvironment({ seed })
      files.makeDirectory('/d')
      await world.run(files.syncDirectory('/'))
      files.open('/d/synced', 'create').close()
      await world.run(files.syncDirectory('/d'))
      files.open('/d/a', 'create').close()
      files.open('/d/b', 'create').close()
      files.rename('/d/synced', '/d/renamed')
      machine.powerCut()
      found.add(
        machine
          .restart()
          .files.list('/d')
          .map(({ name }) => name)
          .join(' ')
      )
    }
    const synced = ['renamed', 'synced']
    expect([...found].sort()).toEqual(synced.flatMap((name) => [name, `a ${name}`, `a b ${name}`, `b ${name}`]).sort())
  })

  it('leaves an atomically written file old or new, and new once it was awaited', async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 300; seed++) {
      const { files, world, machine, random } = simulatedEnvironment({ seed })
      const old = Buffer.alloc(5000, 'old')
      await world.run(writeFileAtomically(files, '/f', old))
      const write = writeFileAtomically(files, '/f', Buffer.alloc(7000, 'new'))
      let done = false
      void write.then(() => {
        done = true
      })
      await world.runFor((random.uint32() / 2 ** 32) * 5)
      machine.powerCut()
      const text = machine.restart().files.readFile('/f')
      expect([old, Buffer.alloc(7000, 'new')].some((whole) => whole.equals(text))).toBe(true)
      if (done) expect(text.length).toBe(7000)
      seen.add(`${done} ${text.length}`)
    }
    expect([...seen].sort()).toEqual(['false 5000', 'false 7000', 'true 7000'])
  })

  it('kills the old environment: its files fail and its promises stay open', async () => {
    const { files, timers, world, machine } = simulatedEnvironment({ seed: 1 })
    const file = files.open('/f', 'create')
    file.write([Buffer.from('x')], 0)
    let events = 0
    const count = () => {
      events++
    }
    file.datasync().then(count, count)
    timers.set(1, count)
    timers.soon(count)
    machine.powerCut()
    machine.restart()
    await world.runFor(1000)
    expect(events).toBe(0)
    expect(() => files.list('/')).toThrow(FileSystemError)
    expect(() => file.write([Buffer.from('x')], 0)).toThrow(FileSystemError)
  })

  it('a killed process loses nothing that it wrote', async () => {
    const { files, machine } = simulatedEnvironment({ seed: 1 })
    const file = files.open('/f', 'create')
    file.write([Buffer.from('unsynced')], 0)
    machine.kill()
    expect(machine.restart().files.readFile('/f').toString()).toBe('unsynced')
  })
})

describe('disk faults', () => {
  it('a full disk refuses what does not fit and goes on when there is room', () => {
    const { files } = new SimulatedWorld({ seed: 1, disk: { capacityBytes: 1000 } }).machine('a').environment
    const file = files.open('/f', 'create')
    file.write([Buffer.alloc(900)], 0)
    expect(() => file.write([Buffer.alloc(200)], 900)).toThrow(expect.objectContaining({ systemCode: 'ENOSPC' }))
    file.truncate(100)
    file.write([Buffer.alloc(200)], 100)
    expect(file.size()).toBe(300)
  })

  it('after a failed sync the bytes may be gone though a later sync succeeds', async () => {
    let gone = 0
    for (let seed = 0; seed < 50; seed++) {
      const { files, world, machine } = simulatedEnvironment({ seed })
      await world.run(writeFileAtomically(files, '/f', Buffer.alloc(0)))
      const file = files.open('/f', 'write')
      file.write([Buffer.from('x')], 0)
      machine.disk.options = { fault: (operation) => (operation === 'sync' ? 'EIO' : undefined) }
      await expect(world.run(file.datasync())).rejects.toMatchObject({ systemCode: 'EIO', path: '/f' })
      machine.disk.options = {}
      await world.run(file.datasync())
      machine.powerCut()
      if (machine.restart().files.readFile('/f').toString() !== 'x') gone++
    }
    expect(gone).toBeGreaterThan(5)
    expect(gone).toBeLessThan(45)
  })
})

/** Random writes, truncations and syncs on one file; returns how many bytes the power cut lost. */
async function writeCutAndCheck(seed: number): Promise<number> {
  const { files, world, machine } = simulatedEnvironment({ seed })
  const { random } = world
  const file = files.open('/f', 'create')
  await world.run(files.syncDirectory('/'))
  let certain = new Map<number, number>()
  let certainSize = 0
  for (let step = 0; step < 20; step++) {
    if (random.chance(0.25)) {
      certain = await syncAndRemember(files, file, world)
      certainSize = file.size()
    } else if (random.chance(0.1)) {
      const sizeBytes = random.below(file.size() + 1000)
      file.truncate(sizeBytes)
      for (const at of certain.keys()) if (at >= sizeBytes) certain.delete(at)
      certainSize = Math.min(certainSize, sizeBytes)
    } else {
      const position = random.chance(0.7) ? file.size() : random.below(file.size() + 100)
      const bytes = random.bytes(1 + random.below(3000))
      file.write([bytes], position)
      for (let at = position; at < position + bytes.length; at++) certain.delete(at)
    }
  }
  const before = files.readFile('/f')
  machine.powerCut()
  const after = machine.restart().files.readFile('/f')
  expect(after.length).toBeGreaterThanOrEqual(certainSize)
  for (const [at, byte] of certain) if (after[at] !== byte) expect.fail(`seed ${seed}: synced byte ${at} was lost`)
  let lost = 0
  for (let at = 0; at < before.length; at++) if (before[at] !== after[at]) lost++
  return lost
}

async function syncAndRemember(
  files: FileSystem,
  file: FileHandle,
  world: SimulatedWorld
): Promise<Map<number, number>> {
  await world.run(file.datasync())
  return new Map(files.readFile(file.path).entries())
}

it('a directory made durably is there after a power cut, with all its parents', async () => {
  for (let seed = 0; seed < 50; seed++) {
    const { files, world, machine } = simulatedEnvironment({ seed })
    await world.run(makeDirectoryDurably(files, '/a/b/c'))
    await world.run(makeDirectoryDurably(files, '/a/b/d'))
    machine.powerCut()
    expect(machine.restart().files.list('/a/b').length).toBe(2)
  }
})
