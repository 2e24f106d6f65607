import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../environment/memory-environment.ts'
import { FileSystemError, FormatVersionError, LockHeldError, UsageError } from '../errors.ts'
import { SimulatedWorld } from '../testing/simulated-world.ts'
import { brokerFixture } from './broker-fixture.ts'
import { openLogDirectory } from './log-directory.ts'

const holder = 'pid 1'

describe('a log directory', () => {
  it('is made with an identity that stays', async () => {
    const environment = memoryEnvironment()
    const first = await openLogDirectory(environment, { path: '/a/b/data', nodeId: 1, holder })
    first.lock.release()
    const second = await openLogDirectory(environment, { path: '/a/b/data', nodeId: 1, holder })
    expect([second.clusterId, second.directoryId]).toEqual([first.clusterId, first.directoryId])
    expect(environment.files.readFile('/a/b/data/meta.properties').toString()).toContain('version=1\n')
  })

  it('is refused to a second taker, who hears of the first', async () => {
    const environment = memoryEnvironment()
    await openLogDirectory(environment, { path: '/data', nodeId: 1, holder: 'pid 4711' })
    const second = openLogDirectory(environment, { path: '/data', nodeId: 1, holder: 'pid 2' })
    await expect(second).rejects.toThrow(LockHeldError)
    await expect(second).rejects.toThrow('pid 4711')
  })

  it('is refused, and left alone, when it has another version or is something else', async () => {
    const environment = memoryEnvironment()
    const { files } = environment
    const write = (path: string, text: string) => {
      const file = files.open(path, 'write')
      file.write([Buffer.from(text)], 0)
      file.close()
    }
    files.makeDirectory('/future')
    write('/future/meta.properties', '# made later\nversion=2\ncluster.id=x\nnode.id=1\ndirectory.id=y\n')
    files.makeDirectory('/photos')
    write('/photos/holiday.jpg', 'x')
    write('/file', 'x')
    for (const [path, expected] of [
      ['/future', 'format version 2'],
      ['/photos', 'holiday.jpg']
    ] as const) {
      const opened = openLogDirectory(environment, { path, nodeId: 1, holder })
      await expect(opened).rejects.toThrow(FormatVersionError)
      await expect(opened).rejects.toThrow(expected)
    }
    expect(files.list('/photos').map(({ name }) => name)).toEqual(['holiday.jpg'])
    expect(files.list('/future').map(({ name }) => name)).toEqual(['meta.properties'])
    const onFile = openLogDirectory(environment, { path: '/file', nodeId: 1, holder })
    await expect(onFile).rejects.toMatchObject({ code: 'MILLRACE_FILE_SYSTEM', systemCode: 'ENOTDIR' })
  })

  it('is refused to another node, and free again afterwards', async () => {
    const environment = memoryEnvironment()
    const first = await openLogDirectory(environment, { path: '/data', nodeId: 1, holder })
    first.lock.release()
    await expect(openLogDirectory(environment, { path: '/data', nodeId: 2, holder })).rejects.toThrow(UsageError)
    const again = await openLogDirectory(environment, { path: '/data', nodeId: 1, holder })
    again.lock.release()
  })

  it('takes up a first start that was cut off anywhere', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const world = new SimulatedWorld({ seed })
      const machine = world.machine('a')
      const fixture = brokerFixture({ environment: machine.environment })
      fixture.start().catch(() => undefined)
      await world.runFor(world.random.uint32() % 12)
      machine.powerCut()
      const broker = await world.run(fixture.start(machine.restart()))
      expect(broker.clusterId).toHaveLength(22)
      await world.run(broker.close())
    }
  })

  it('that is read-only is a typed error', async () => {
    const world = new SimulatedWorld({ seed: 1 })
    const machine = world.machine('a')
    const fixture = brokerFixture({ environment: machine.environment })
    await world.run(fixture.start().then((broker) => broker.close()))
    const reading = new Set(['read', 'list', 'stat', 'look at', 'open'])
    machine.disk.options = { fault: (operation) => (reading.has(operation) ? undefined : 'EROFS') }
    const opened = world.run(fixture.start(machine.restart()))
    await expect(opened).rejects.toThrow(FileSystemError)
    await expect(opened).rejects.toThrow('read-only')
    machine.disk.options = {}
    await world.run(fixture.start(machine.restart()).then((broker) => broker.close()))
  })
})
