import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { LockHeldError, UsageError } from './errors.ts'
import { type Log, openLog } from './open-log.ts'

const directories: string[] = []
const children: ChildProcess[] = []

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  directories.push(directory)
  return directory
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

async function valuesOf(log: Log, topic: string): Promise<string[]> {
  const consumer = log.consumer()
  const partition = { topic, partition: 0 }
  consumer.assign([partition])
  const end = (await consumer.endOffsets([partition])).get(`${topic}-0`) ?? 0
  const values: string[] = []
  for (let next = 0; next < end; ) {
    for (const { batches, nextOffset } of await consumer.poll(1_000)) {
      next = nextOffset
      for (const batch of batches) {
        const cursor = batch.records()
        while (cursor.next()) values.push(cursor.value()?.toString() ?? '')
      }
    }
  }
  await consumer.close()
  return values
}

/** A process that opens the directory and says on standard output, line by line, what happens. */
function child(directory: string, work: string): ChildProcess {
  const entry = JSON.stringify(fileURLToPath(new URL('./open-log.ts', import.meta.url)))
  const program = `import { openLog } from ${entry}
try {
  const log = await openLog('file:' + process.argv[1])
  ${work}
} catch (error) { console.log(error.name + ': ' + error.message) }`
  const started = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, directory])
  children.push(started)
  return started
}

describe('openLog', () => {
  it('opens a log in memory, with nothing shared between two', async () => {
    const [a, b] = [await openLog('memory:'), await openLog('memory:')]
    expect([a.url, a.directory]).toEqual(['memory:', undefined])
    expect(a.clusterId).not.toBe(b.clusterId)
    await a.admin().createTopics([{ name: 'only-a', partitions: 1 }])
    expect(await b.admin().listTopics()).toEqual([])
    await Promise.all([a.close(), b.close()])
  })

  it('opens a log on disk, by any spelling of the path, and finds it again', async () => {
    const directory = join(temporaryDirectory(), 'with space')
    const first = await openLog(`file:${directory}`)
    expect([first.url, first.directory]).toEqual([`file:${directory}`, directory])
    await first.admin().createTopics([{ name: 'clicks', partitions: 1 }])
    const producer = first.producer()
    await producer.send({ topic: 'clicks', partition: 0, key: null, value: Buffer.from('a') })
    await producer.close()
    await first.close()
    const second = await openLog(`file://${directory.replace(' ', '%20')}`)
    expect(second.clusterId).toBe(first.clusterId)
    expect(await valuesOf(second, 'clicks')).toEqual(['a'])
    await second.close()
    const third = await openLog({ dir: directory, fsync: 'os' })
    expect(await valuesOf(third, 'clicks')).toEqual(['a'])
    await third.close()
    await third.close()
  })

  it.each(['kafka://localhost:9092', './data', 'file:', 'http://x', ''])("refuses '%s'", async (url) => {
    await expect(openLog(url)).rejects.toThrow(UsageError)
  })

  it('tells those that are left that it is closed', async () => {
    const log = await openLog('memory:')
    const admin = log.admin()
    await log.close()
    await expect(admin.listTopics()).rejects.toThrow(UsageError)
    await expect(admin.listTopics()).rejects.toThrow('closed')
  })

  it('keeps no process alive, open or closed, and leaves no request unanswered', async () => {
    const directory = temporaryDirectory()
    const idle = child(directory, `console.log('idle')`)
    expect((await once(idle, 'exit'))[0]).toBe(0)
    const log = await openLog(`file:${directory}`)
    await log.admin().createTopics([{ name: 'clicks', partitions: 1 }])
    // So long that no test would see the end of it.
    const patienceMs = 3_600_000
    const consumer = log.consumer({ fetchMaxWaitMs: patienceMs })
    consumer.assign([{ topic: 'clicks', partition: 0 }])
    const polling = consumer.poll(patienceMs).catch((error) => error)
    await consumer.endOffsets([{ topic: 'clicks', partition: 0 }])
    await log.close()
    await polling
  })

  it('is refused to a second log of this process and to another process, and given back by close', async () => {
    const directory = temporaryDirectory()
    const log = await openLog(`file:${directory}`)
    await expect(openLog(`file:${directory}`)).rejects.toThrow(LockHeldError)
    const other = child(directory, `console.log('opened')`)
    const [said] = await once(other.stdout ?? other, 'data')
    expect(String(said)).toContain('LockHeldError')
    expect(String(said)).toContain(`pid ${process.pid}`)
    await log.close()
    await (await openLog(`file:${directory}`)).close()
  })

  it('has every acknowledged record after the process that produced was killed', async () => {
    const directory = temporaryDirectory()
    let expected = 0
    for (let round = 0; round < 3; round++) {
      const producing = child(
        directory,
        `const admin = log.admin()
  if (!(await admin.listTopics()).includes('clicks')) await admin.createTopics([{ name: 'clicks', partitions: 1 }])
  const producer = log.producer()
  for (let count = ${expected}; ; count++) {
    await producer.send({ topic: 'clicks', partition: 0, key: null, value: Buffer.from(String(count)) })
    console.log('acknowledged ' + count)
  }`
      )
      const lines = createInterface({ input: producing.stdout ?? process.stdin })
      let acknowledged = -1
      for await (const line of lines) {
        const match = /^acknowledged (\d+)$/.exec(line)
        if (match === null) throw new UsageError(line)
        acknowledged = Number(match[1])
        if (acknowledged === expected + 30 + round * 17) producing.kill('SIGKILL')
      }
      const events: string[] = []
      const log = await openLog({ dir: directory, onEvent: ({ kind }) => events.push(kind) })
      const values = await valuesOf(log, 'clicks')
      expect(values.length).toBeGreaterThan(acknowledged)
      expect(values).toEqual(values.map((_, index) => String(index)))
      expected = values.length
      await log.close()
    }
  })
})
