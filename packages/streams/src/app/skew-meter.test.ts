import { openLog, partitionForKey } from '@millrace/log'
import { filter, firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { runStreams } from './run-streams.ts'

describe('the skew of an application', () => {
  it('shows partitions and hot keys of its sources and repartition topics', async () => {
    const topology = defineTopology('skewed', (b) => {
      b.stream('in', { key: string(), value: string() })
        .groupBy((value) => value)
        .count({ store: 'counts' })
    })
    const log = await openLog('memory:')
    await log.admin().ensureTopic({ name: 'in', partitions: 4, configs: {} })
    const producer = log.producer()
    const pages = ['hot', ...Array.from({ length: 200 }, (_, i) => `cold-${i}`)]
    for (let i = 0; i < 8_000; i++) {
      // Half of the records are of one page; all come to the input without a key, evenly.
      const page = i % 2 === 0 ? 'hot' : pages[1 + (i % 200)]
      producer.enqueue('in', i % 4, null, Buffer.from(page), i)
    }
    await producer.flush()
    const app = await runStreams(topology, { log, commitInterval: '20ms' })
    expect(app.skew()).toEqual({ topics: [] })
    const isCounted = filter(({ value }: { value: number | undefined }) => value === 4_000)
    await firstValueFrom(app.store<string, number>('counts').watch('hot').pipe(isCounted))

    const [input, repartition] = app.skew().topics
    expect(input).toMatchObject({ topic: 'in', source: 'in-source', subtopology: 0, imbalance: 1 })
    expect(input.partitions).toHaveLength(4)
    expect(input.partitions[0]).toMatchObject({ partition: 0, records: 2_000, share: 0.25 })
    expect(input.hotKeys).toEqual([{ key: null, share: 1, shareAtLeast: 1 }])

    const name = 'skewed-in-groupBy-repartition'
    expect(repartition).toMatchObject({ topic: name, source: 'in-groupBy-repartition-source', subtopology: 1 })
    const [largest] = repartition.partitions
    expect(largest.partition).toBe(partitionForKey(Buffer.from('hot'), 4))
    expect(largest.share).toBeGreaterThan(0.5)
    expect(largest.bytes).toBeGreaterThan(0)
    expect(repartition.imbalance).toBeCloseTo(4 * largest.share, 5)
    expect(app.metrics().imbalance).toBe(repartition.imbalance)
    const [hot] = repartition.hotKeys
    expect(hot.key).toBe('hot')
    expect(hot.shareAtLeast).toBeGreaterThan(0.3)
    expect(hot.share).toBeGreaterThanOrEqual(hot.shareAtLeast)
    await app.close()
    await producer.close()
    await log.close()
  })
})
