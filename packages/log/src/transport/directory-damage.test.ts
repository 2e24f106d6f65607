import { describe, expect, it } from 'vitest'
import { type BrokerFixture, batchOf, brokerFixture } from '../broker/broker-fixture.ts'
import type { Environment } from '../environment/environment.ts'
import { CorruptionError } from '../errors.ts'
import { ErrorCode } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { inProcessClient } from './in-process-fixture.ts'

/** A directory in which two topics were made and a third was deleted, cleanly closed after a second start. */
async function writtenDirectory(): Promise<BrokerFixture> {
  const fixture = brokerFixture()
  const first = await fixture.start()
  const client = inProcessClient(first, fixture.environment)
  await client.createTopic('clicks', 2, { 'retention.ms': '-1' })
  await client.createTopic('gone')
  await client.send(messages.deleteTopics, { topics: [{ name: 'gone' }] })
  await first.close()
  const second = await fixture.start()
  const again = inProcessClient(second, fixture.environment)
  await again.createTopic('views')
  await again.produce('clicks', batchOf(['a', 'b']))
  await second.close()
  return fixture
}

function filesBelow({ files }: Pick<Environment, 'files'>, directory: string): string[] {
  return files.list(directory).flatMap(({ name, kind }) => {
    const path = `${directory}/${name}`
    return kind === 'directory' ? filesBelow({ files }, path) : path
  })
}

function flipByte({ environment: { files } }: BrokerFixture, path: string, position: number): void {
  const file = files.open(path, 'write')
  const byte = Buffer.alloc(1)
  file.read(byte, position)
  file.write([Buffer.from([byte[0] ^ 0x04])], position)
  file.close()
}

/** Starts, looks at everything and closes. Returns what reading the first partition gave. */
async function look(fixture: BrokerFixture): Promise<{ errorCode: number; values: string[] }> {
  const broker = await fixture.start()
  try {
    const client = inProcessClient(broker, fixture.environment)
    const { topics } = await client.send(messages.metadata, { topics: null })
    expect(topics.map(({ name, partitions }) => [name, partitions.length]).sort()).toEqual([
      ['clicks', 2],
      ['views', 1]
    ])
    const { errorCode } = await client.fetch({ topic: 'clicks', offset: 0 })
    return { errorCode, values: errorCode === ErrorCode.NONE ? await client.values('clicks') : [] }
  } finally {
    await broker.close()
  }
}

const names = filesBelow((await writtenDirectory()).environment, '/data').map((path) => path.slice('/data/'.length))

describe('one flipped byte', () => {
  it.each(names.filter((name) => !/^clicks-0.*log$/.test(name)))('in %s loses nothing', async (name) => {
    for (let part = 0; part < 16; part++) {
      const fixture = await writtenDirectory()
      const path = `${fixture.directory}/${name}`
      if (!fixture.environment.files.exists(path)) continue
      const { sizeBytes } = fixture.environment.files.stat(path)
      if (sizeBytes === 0) continue
      flipByte(fixture, path, Math.floor((sizeBytes * part) / 16))
      for (let start = 0; start < 2; start++) {
        // Who the directory belongs to is known from one file only: damage there is named and left to the owner.
        const looked = await look(fixture).catch((error: unknown) => error)
        if (looked instanceof Error) expect(looked).toMatchObject({ path })
        else expect(looked).toEqual({ errorCode: ErrorCode.NONE, values: ['a', 'b'] })
        if (looked instanceof Error)
          expect([looked instanceof CorruptionError, name]).toEqual([true, 'meta.properties'])
      }
    }
  })

  it('in a batch is named to its readers, and costs that batch at most', async () => {
    const name = 'clicks-0/00000000000000000000.log'
    for (let part = 0; part < 16; part++) {
      const fixture = await writtenDirectory()
      const path = `${fixture.directory}/${name}`
      const { sizeBytes } = fixture.environment.files.stat(path)
      flipByte(fixture, path, Math.floor((sizeBytes * part) / 16))
      const first = await look(fixture)
      // Base offset and leader epoch are outside of the checksum, yet they have to fit.
      expect(first).toEqual({ errorCode: ErrorCode.CORRUPT_MESSAGE, values: [] })
      const reports = fixture.events.flatMap((event) => (event.kind === 'damage' ? event.report.path : []))
      expect(reports).toContain(path)
      const second = await look(fixture)
      expect([[], ['a', 'b']]).toContainEqual(second.values)
    }
  })
})
