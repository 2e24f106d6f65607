import { type Log, openLog } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { StreamOptions } from '../dsl/options.ts'
import { string } from '../serde/string.ts'
import { NoCommittedOffsetError } from './errors.ts'
import { resetApplication } from './reset.ts'
import { runStreams } from './run-streams.ts'

const text = { key: string(), value: string() }
const HOUR_MS = 3_600_000

let log: Log
beforeEach(async () => {
  log = await openLog('memory:')
  const admin = log.admin()
  for (const name of ['in', 'empty', 'seen']) await admin.ensureTopic({ name, partitions: 1, configs: {} })
  await admin.close()
})
afterEach(() => log.close())

async function produce(value: string, ageMs: number): Promise<void> {
  const producer = log.producer()
  producer.enqueue('in', 0, Buffer.from('k'), Buffer.from(value), log.environment.clock.nowMs() - ageMs)
  await producer.close()
}

/** The values that a start with this reset takes in, up to `last`. */
async function taken(reset: StreamOptions<string, string>['reset'], last: string): Promise<string[]> {
  const values: string[] = []
  let done = (): void => undefined
  const came = new Promise<void>((resolve) => {
    done = resolve
  })
  const topology = defineTopology('taking', (b) => {
    b.stream(['in', 'empty'], { ...text, ...(reset !== undefined && { reset }) }).peek((value) => {
      values.push(value)
      if (value === last) done()
    })
  })
  const app = await runStreams(topology, { log, commitInterval: '5ms' })
  try {
    await app.running
    await Promise.race([came, app.done])
  } finally {
    await app.close().catch(() => undefined)
  }
  return values
}

describe('a source without a committed offset', () => {
  it('begins with the first record of the time that it is told', async () => {
    await produce('old', 3 * HOUR_MS)
    await produce('middle', HOUR_MS)
    await produce('new', 0)
    expect(await taken({ since: '2h' }, 'new')).toEqual(['middle', 'new'])
    // What is committed counts from then on.
    await produce('newer', 3 * HOUR_MS)
    expect(await taken({ since: '2h' }, 'newer')).toEqual(['newer'])
  })

  it('begins at the end where the time has no record yet', async () => {
    await produce('old', 3 * HOUR_MS)
    const started = taken({ since: '2h' }, 'new')
    await produce('new', 0)
    expect(await started).toEqual(['new'])
  })

  it('fails the application if it is told to, and only then', async () => {
    await produce('first', 0)
    const failure = await taken('none', 'first').catch((error: unknown) => error)
    expect(causesOf(failure)).toContainEqual(expect.objectContaining({ topic: 'in', partition: 0 }))
    expect(causesOf(failure).some((error) => error instanceof NoCommittedOffsetError)).toBe(true)
  })
})

describe('a reset', () => {
  it('goes back to the time that a source is told, to the end where it has no record, and to the start of one that is told none', async () => {
    await produce('old', 3 * HOUR_MS)
    await produce('middle', HOUR_MS)
    const offsets = async (reset: StreamOptions<string, string>['reset']) => {
      const topology = defineTopology('reset', (b) => {
        b.stream(['in', 'empty'], { ...text, ...(reset !== undefined && { reset }) }).to('seen')
      })
      const report = await resetApplication(topology, { log, dryRun: true })
      return report.offsets.map(({ topic, to }) => `${topic} ${to}`)
    }
    expect(await offsets({ since: '2h' })).toEqual(['in 1', 'empty 0'])
    expect(await offsets({ since: '10m' })).toEqual(['in 2', 'empty 0'])
    expect(await offsets('none')).toEqual(['in 0', 'empty 0'])
  })
})

function causesOf(error: unknown): unknown[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : []
}
