import { simulatedEnvironment } from '@millrace/log/testing'
import { describe, expect, it } from 'vitest'
import { CheckedEngine } from './checked-engine.ts'
import { type ChangeTeller, changesOf } from './engine.ts'
import { StoreDamagedError } from './errors.ts'
import { FileEngine } from './file-engine.ts'
import { checksumBytes } from './layout.ts'

const everything = { gte: Buffer.from([1]), lt: Buffer.alloc(10, 0xff) }

describe('a file engine on a simulated disk', () => {
  it('is at the last awaited batch after a power cut, or at the one that was being written', async () => {
    const outcomes = { kept: 0, lost: 0 }
    for (let seed = 0; seed < 200; seed++) {
      const { world, machine } = simulatedEnvironment({ seed })
      let written = 0
      let begun = 0
      for (let life = 0; life < 3; life++) {
        const environment = machine.restart()
        const engine = await world.run(FileEngine.open('/state', environment).then((file) => CheckedEngine.open(file)))
        const found = readBatch(engine)
        expect(await batchOfEveryKey(engine), `seed ${seed}`).toEqual(found < 0 ? [] : [found])
        expect([written, begun], `seed ${seed}`).toContain(Math.max(found, 0))
        if (begun > written) outcomes[found === begun ? 'kept' : 'lost']++
        written = Math.max(found, 0)
        const writer = (async () => {
          for (begun = written + 1; ; begun++) {
            await engine.write(batch(begun))
            written = begun
          }
        })()
        writer.catch(() => undefined)
        await world.runFor(world.random.between(1, 30))
        machine.powerCut()
      }
    }
    expect(outcomes.kept).toBeGreaterThan(20)
    expect(outcomes.lost).toBeGreaterThan(20)
  })

  it('in which a byte is flipped or a page zeroed answers right or not at all', async () => {
    let damaged = 0
    for (let seed = 0; seed < 300; seed++) {
      const { world, files, ...environment } = simulatedEnvironment({ seed })
      const engine = await world.run(FileEngine.open('/state', { ...environment, files }))
      const checked = await CheckedEngine.open(engine)
      for (let number = 1; number <= 20; number++) await world.run(checked.write(batch(number)))
      await world.run(checked.close())
      const file = files.open('/state/state.log', 'write')
      const at = world.random.below(file.size())
      const bytes = Buffer.alloc(1)
      file.read(bytes, at)
      bytes[0] ^= 1 << world.random.below(8)
      file.write([world.random.chance(0.3) ? Buffer.alloc(Math.min(512, file.size() - at)) : bytes], at)
      file.close()
      try {
        const again = await world.run(
          FileEngine.open('/state', { ...environment, files }).then((e) => CheckedEngine.open(e))
        )
        expect(await batchOfEveryKey(again)).toEqual([readBatch(again)])
      } catch (error) {
        if (!(error instanceof StoreDamagedError)) throw error
        damaged++
      }
    }
    expect(damaged).toBeGreaterThan(200)
  })

  it('passes a full disk on and is not used after it', async () => {
    const { world, machine, ...environment } = simulatedEnvironment({ seed: 1, disk: { capacityBytes: 3000 } })
    const engine = await world.run(FileEngine.open('/state', environment).then((file) => CheckedEngine.open(file)))
    const fill = async () => {
      for (let number = 1; ; number++) await engine.write(batch(number))
    }
    await expect(world.run(fill())).rejects.toMatchObject({ systemCode: 'ENOSPC' })
    await expect(world.run(engine.write(batch(1)))).rejects.toMatchObject({ systemCode: 'ENOSPC' })
    machine.disk.options = {}
    const again = await world.run(FileEngine.open('/state', machine.restart()).then((file) => CheckedEngine.open(file)))
    expect(await batchOfEveryKey(again)).toEqual([readBatch(again)])
  })
})

/** Ten keys that all say which batch they are of. */
function batch(number: number): ChangeTeller {
  return changesOf(
    Array.from({ length: 10 }, (_, i) => {
      const value = Buffer.alloc(40 + checksumBytes, number)
      value.writeUInt32BE(number, 0)
      return { key: Buffer.from([1, i]), value }
    })
  )
}

function readBatch(engine: CheckedEngine): number {
  return engine.get(Buffer.from([1, 0]))?.readUInt32BE(0) ?? -1
}

async function batchOfEveryKey(engine: CheckedEngine): Promise<number[]> {
  const seen = new Set<number>()
  for await (const page of engine.pages(everything)) for (const [, value] of page) seen.add(value.readUInt32BE(0))
  return [...seen]
}
