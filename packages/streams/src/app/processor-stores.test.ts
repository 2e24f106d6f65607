import { type Log, openLog } from '@millrace/log'
import { filter, firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { runStreams } from './run-streams.ts'
import type { StreamsApp } from './streams-app.ts'

let log: Log
let app: StreamsApp | undefined
beforeEach(async () => {
  log = await openLog('memory:')
})
afterEach(async () => {
  await app?.close()
  await log.close()
})

const topology = defineTopology('stored', (b) => {
  const visits = b.sessionStore('visits', { key: string(), value: long(), retention: '1h' })
  const prices = b.versionedStore('prices', { key: string(), value: string(), history: 100 })
  b.stream('in', { key: string(), value: string() })
    .processValues(
      ({ key, value, timestamp }, context) => {
        const store = context.store('visits')
        const [open] = store.find(key, timestamp - 10, timestamp)
        if (open) store.delete(key, open)
        store.put(key, { startMs: open?.startMs ?? timestamp, endMs: timestamp }, (open?.value ?? 0) + 1)
        const before = context.store('prices').asOf(key, timestamp - 1)
        context.store('prices').put(key, value)
        context.forward(`${before ?? 'nothing'} then ${value}`)
      },
      { stores: [visits, prices], value: string() }
    )
    .toTable({ store: 'answers' })
})

async function produce(rows: readonly (readonly [value: string, timestamp: number])[]): Promise<void> {
  const producer = log.producer()
  for (const [value, timestamp] of rows) producer.enqueue('in', 0, Buffer.from('k'), Buffer.from(value), timestamp)
  await producer.close()
}

it("sessions and versions of a processor's stores come back from their changelogs, and what is too old stays so", async () => {
  const lives: { rows: [string, number][]; last: string; visits: number[][] }[] = [
    {
      rows: [
        ['a', 1000],
        ['b', 1005]
      ],
      last: 'a then b',
      visits: [[1000, 1005, 2]]
    },
    { rows: [['c', 1012]], last: 'b then c', visits: [[1000, 1012, 3]] },
    // Older than the history that the lives before have moved on.
    {
      rows: [['old', 900]],
      last: 'nothing then old',
      visits: [
        [900, 900, 1],
        [1000, 1012, 3]
      ]
    }
  ]
  for (const { rows, last, visits } of lives) {
    app = await runStreams(topology, { log, commitInterval: '5ms' })
    await app.running
    await produce(rows)
    const answers = app.store<string, string>('answers').watch('k')
    await firstValueFrom(answers.pipe(filter(({ value }) => value === last)))
    const found: unknown[] = []
    for await (const { window, value } of app.store<string, number>('visits').fetch('k')) {
      found.push([window?.startMs, window?.endMs, value])
    }
    expect(found).toEqual(visits)
    await app.close()
  }
  app = await runStreams(topology, { log })
  await app.running
  const versions = await app.store<string, string>('prices').versions('k')
  expect(versions.map(({ value, timestamp }) => [value, timestamp])).toEqual([
    ['a', 1000],
    ['b', 1005],
    ['c', 1012]
  ])
})
