import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryEnvironment, openLog } from '@millrace/log'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { RepartitionPurge } from './repartition-purge.ts'
import { runStreams } from './run-streams.ts'

const wordCount = defineTopology('words', (b) => {
  b.stream('lines', { key: string(), value: string() })
    .groupBy((line) => line)
    .count({ store: 'counts' })
})
const repartition = { topic: 'words-lines-groupBy-repartition', partition: 0 }

describe('a repartition topic on an embedded log', () => {
  it('is purged as it is consumed, and a restart counts on from there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-purge-'))
    const log = await openLog(`file:${directory}`)
    try {
      const admin = log.admin()
      const consumer = log.consumer()
      const producer = log.producer()
      await admin.ensureTopic({ name: 'lines', partitions: 1, configs: {} })
      const count = async (from: number, to: number, purged: boolean) => {
        const app = await runStreams(wordCount, { log, commitInterval: '5ms', repartitionPurgeInterval: '10ms' })
        for (let n = from; n <= to; n++) {
          await producer.send({ topic: 'lines', key: null, value: Buffer.from('word') })
          await firstValueFrom(
            app
              .store<string, number>('counts')
              .watch('word')
              .pipe(filter(({ value }) => value === n))
          )
        }
        const starts = () => consumer.beginningOffsets([repartition])
        // Each record is a commit of its own, so the next one purges what the last one committed.
        while (purged && [...(await starts()).values()][0] < (to - from) / 2) {
          await producer.send({ topic: 'lines', key: null, value: Buffer.from('other') })
        }
        await app.close()
      }
      await count(1, 6, true)
      const [start] = (await consumer.beginningOffsets([repartition])).values()
      const [end] = (await consumer.endOffsets([repartition])).values()
      expect(start).toBeGreaterThan(1)
      expect(start).toBeLessThanOrEqual(end)
      await count(7, 8, false)
      await consumer.close()
      await producer.close()
      await admin.close()
    } finally {
      await log.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

describe('a purge', () => {
  it('comes once an interval, asks only for what moved, and one that fails is made up for by the next', async () => {
    const environment = memoryEnvironment()
    const asked: unknown[] = []
    let failing = false
    const admin = {
      deleteRecords: async (points: readonly unknown[]) => {
        asked.push(points)
        if (failing) throw new TypeError('no broker')
        return new Map<string, number>()
      }
    }
    let nowMs = 0
    const clock = { ...environment.clock, monotonicMs: () => nowMs }
    const purge = new RepartitionPurge({ admin, clock, intervalMs: 10, topics: new Set(['r']) })
    const commit = async (atMs: number, offset: number) => {
      nowMs = atMs
      purge.committed(() => [
        { topic: 'r', partition: 0, offset },
        { topic: 'input', partition: 0, offset }
      ])
      await purge.idle()
      return asked.splice(0)
    }
    expect(await commit(9, 5)).toEqual([])
    expect(await commit(10, 6)).toEqual([[{ topic: 'r', partition: 0, beforeOffset: 6 }]])
    expect(await commit(19, 7)).toEqual([])
    expect(await commit(20, 6)).toEqual([])
    failing = true
    expect(await commit(30, 8)).toHaveLength(1)
    failing = false
    expect(await commit(40, 8)).toEqual([[{ topic: 'r', partition: 0, beforeOffset: 8 }]])
  })
})
