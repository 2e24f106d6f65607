import { type Log, memoryEnvironment, openLog } from '@millrace/log'
import { filter, firstValueFrom, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { Materialized } from '../dsl/materialized.ts'
import type { StreamsBuilder } from '../dsl/streams-builder.ts'
import { sessions, sliding, tumbling } from '../dsl/windows.ts'
import type { Topology } from '../graph/topology.ts'
import type { RestoreProgress } from '../observe/app-state.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { FileEngine } from '../state/file-engine.ts'
import { formatPlan, planStart } from './plan.ts'
import { runStreams } from './run-streams.ts'
import type { StreamsApp } from './streams-app.ts'

const TEXT = { key: string(), value: string() }

let log: Log
beforeEach(async () => {
  log = await openLog({ dir: '/data', environment: memoryEnvironment(), onEvent: () => undefined })
})
afterEach(() => log.close())

async function produce(rows: readonly (readonly [key: string, value: string | null, timestamp: number])[]) {
  const producer = log.producer()
  for (const [key, value, timestamp] of rows)
    producer.enqueue('in', 0, Buffer.from(key), value === null ? null : Buffer.from(value), timestamp)
  await producer.close()
}

interface Life {
  readonly app: StreamsApp
  readonly restored: readonly RestoreProgress[]
}

/** Runs the application on a machine with a disk of its own until it has processed what there is. */
async function live(topology: Topology, machine: string, use: (life: Life) => Promise<void>): Promise<void> {
  const app = await runStreams(topology, {
    log,
    stateDirectory: `/${machine}`,
    engine: (path, environment) => FileEngine.open(path, environment),
    commitInterval: '5ms'
  })
  try {
    const restores = firstValueFrom(app.restore$.pipe(toArray()))
    const restored: RestoreProgress[] = []
    app.restore$.subscribe((progress) => restored.push(progress))
    await app.running
    await use({ app, restored })
    await app.close()
    await restores
  } finally {
    await app.close()
  }
}

/** Resolves when the entry of a key is as expected. */
function reaches(app: StreamsApp, [key, expected]: readonly [string, number], store = 'n'): Promise<unknown> {
  const entries = app.store<string, number>(store).watch(key)
  return firstValueFrom(entries.pipe(filter(({ value }) => value === expected)))
}

const counting = (store: Materialized) =>
  defineTopology('counting', (b) => {
    b.stream('in', TEXT)
      .groupByKey()
      .count({ store: { name: 'n', ...store } })
  })

const topicNames = async () => (await log.admin().listTopics()).map(({ name }) => name)

describe('a store without a changelog', () => {
  const topology = counting({ changelog: false })

  it('makes no topic, outlives the process on its machine, and begins empty on another', async () => {
    await live(topology, 'first', async ({ app }) => {
      await produce([
        ['a', '', 1],
        ['a', '', 2]
      ])
      await reaches(app, ['a', 2])
    })
    expect(await topicNames()).not.toContain('counting-n-changelog')
    await live(topology, 'first', async ({ app, restored }) => {
      await produce([['a', '', 3]])
      await reaches(app, ['a', 3])
      expect(restored).toEqual([])
    })
    await live(topology, 'second', async ({ app }) => {
      await produce([['a', '', 4]])
      await reaches(app, ['a', 1])
    })
  })

  it('begins empty when it is given one, so that the changelog has all of it', async () => {
    await live(topology, 'first', async ({ app }) => {
      await produce([
        ['a', '', 1],
        ['b', '', 2]
      ])
      await reaches(app, ['b', 1])
    })
    const logged = counting({})
    await live(logged, 'first', async ({ app, restored }) => {
      expect(await app.store('n').get('a')).toBeUndefined()
      expect(restored.at(-1)?.rebuildReason).toContain('without a changelog until now')
      await produce([['b', '', 3]])
      await reaches(app, ['b', 1])
    })
    await live(logged, 'second', async ({ app }) => {
      expect(await app.store('n').get('b')).toBe(1)
    })
  })

  it('begins empty again when its changelog came and went', async () => {
    for (const [life, store] of [{}, { changelog: false }, {}].entries()) {
      await live(counting(store as Materialized), 'first', async ({ app }) => {
        await produce([['a', '', life]])
        await reaches(app, ['a', [1, 2, 2][life] ?? 0])
      })
    }
    // The third life has what the changelog of the first one had, and its own record.
    await live(counting({}), 'second', async ({ app }) => expect(await app.store('n').get('a')).toBe(2))
  })

  it('is named by the plan of a start', async () => {
    const plan = await planStart(topology, { log })
    expect(plan.startable).toBe(true)
    expect(formatPlan(plan)).toContain("  note: store 'n' has no changelog: it begins empty wherever")
    expect(plan.topics.map(({ topic }) => topic)).toEqual(['in'])
  })
})

describe("a changelog's own configurations", () => {
  it('are given to its topic when it is made, over those of all internal topics', async () => {
    const configured = counting({ changelog: { 'max.compaction.lag.ms': '60000', 'segment.ms': '5000' } })
    const ofAll = { 'segment.ms': '7000', 'min.compaction.lag.ms': '1000' }
    const app = await runStreams(configured, { log, internalTopicConfigs: ofAll })
    await app.running
    await app.close()
    const configs = await log.admin().describeConfigs({ type: 'topic', name: 'counting-n-changelog' })
    const names = ['cleanup.policy', 'max.compaction.lag.ms', 'segment.ms', 'min.compaction.lag.ms']
    expect(names.map((name) => configs.get(name)?.value)).toEqual(['compact', '60000', '5000', '1000'])
    expect(formatPlan(await planStart(counting({ changelog: { 'segment.ms': '9000' } }), { log }))).toContain(
      'its segment.ms stays 5000, a new one would have 9000'
    )
  })
})

describe('a store in memory beside others on disk', () => {
  const memory = { engine: 'memory' } as const
  /** The same aggregations, kept in memory or on disk. */
  const both = (define: (b: StreamsBuilder, store: (name: string) => Materialized & { name: string }) => void) =>
    defineTopology('both', (b) => {
      define(b, (name) => ({ name, ...(name.startsWith('m-') && memory) }))
    })
  const topology = both((b, store) => {
    const grouped = b.stream('in', TEXT).groupByKey()
    for (const where of ['m', 'd']) {
      grouped.count({ store: store(`${where}-count`) })
      grouped.windowedBy(tumbling({ size: 10 })).count({ store: store(`${where}-tumbling`) })
      grouped.windowedBy(sliding({ difference: 10 })).count({ store: store(`${where}-sliding`) })
      grouped.windowedBy(sessions({ gap: 5 })).count({ store: store(`${where}-session`) })
      b.stream('in', TEXT).toTable({ store: store(`${where}-table`), ttl: 50 })
      b.stream('in', TEXT).join(b.stream('in', TEXT), (one, other) => one + other, {
        within: 3,
        value: string(),
        store: { name: `${where}-joined`, ...(where === 'm' && memory) }
      })
    }
  })
  const entries = async (app: StreamsApp, name: string) => {
    const all: unknown[] = []
    for await (const entry of app.store(name).all()) all.push(entry)
    return all
  }
  const kinds = ['count', 'tumbling', 'sliding', 'session', 'table']

  it('is read from its changelog at every start, and holds what the one on disk holds', async () => {
    for (let life = 0; life < 3; life++) {
      await live(topology, 'first', async ({ app, restored }) => {
        const at = life * 20
        await produce([
          ['a', 'x', at],
          ['b', 'y', at + 3],
          ['a', 'z', at + 4]
        ])
        await reaches(app, ['a', 2 * (life + 1)], 'm-count')
        const done = restored.filter(({ done: isDone }) => isDone)
        for (const kind of kinds) {
          const [inMemory, onDisk] = [await entries(app, `m-${kind}`), await entries(app, `d-${kind}`)]
          expect(inMemory, kind).toEqual(onDisk)
          expect(inMemory.length, kind).toBeGreaterThan(0)
          if (life === 0) continue
          expect(done.find(({ store }) => store === `m-${kind}`)?.fromOffset, kind).toBe(0)
          expect(done.find(({ store }) => store === `d-${kind}`)?.fromOffset, kind).toBeGreaterThan(0)
        }
      })
    }
  })

  it('leaves nothing of itself on the disk', async () => {
    const secret = 'only-in-memory'
    const kept = (store: Materialized) =>
      defineTopology('kept', (b) => {
        b.stream('in', TEXT).toTable({ store: { name: 'n', ...store } })
        b.stream('other', TEXT).groupByKey().count({ store: 'others' })
      })
    const found = async (machine: string) => {
      const { files } = log.environment
      const walk = (path: string): string[] =>
        files
          .list(path)
          .flatMap(({ name, kind }) => (kind === 'directory' ? walk(`${path}/${name}`) : [`${path}/${name}`]))
      return walk(`/${machine}`).some((path) => files.readFile(path).includes(secret))
    }
    await produce([['a', secret, 1]])
    for (const [machine, store] of [
      ['disk', {}],
      ['memory', memory]
    ] as const) {
      await live(kept(store), machine, async ({ app }) => {
        await firstValueFrom(
          app
            .store<string, string>('n')
            .watch('a')
            .pipe(filter(({ value }) => value === secret))
        )
      })
      expect(await found(machine), machine).toBe(machine === 'disk')
    }
  })
})

it('a history of what a step makes is queried as of a time, and restored', async () => {
  const topology = defineTopology('versions', (b) => {
    b.table('in', TEXT).filter((value) => value !== 'hidden', { store: { name: 'n', engine: 'memory' }, history: '1h' })
  })
  for (const life of [0, 1]) {
    await live(topology, 'first', async ({ app }) => {
      const store = app.store<string, string>('n')
      if (life === 0) {
        await produce([
          ['a', 'one', 10],
          ['a', 'hidden', 30],
          ['a', 'two', 20],
          ['a', 'three', 40]
        ])
        await firstValueFrom(store.watch('a').pipe(filter(({ timestamp }) => timestamp === 40)))
      }
      const times = [9, 10, 25, 35, 40]
      const found = await Promise.all(times.map((at) => store.asOf('a', at)))
      expect(found).toEqual([undefined, 'one', 'two', undefined, 'three'])
    })
  }
})

it("a processor's stores are kept as they are told to be", async () => {
  const topology = defineTopology('counting', (b) => {
    const n = b.store('n', { key: string(), value: long(), engine: 'memory', changelog: false })
    b.stream('in', TEXT).process(
      ({ key }, context) => context.store('n').put(key, (context.store('n').get(key) ?? 0) + 1),
      { stores: [n] }
    )
  })
  for (let life = 0; life < 2; life++) {
    await live(topology, 'first', async ({ app }) => {
      await produce([['a', '', life]])
      await reaches(app, ['a', 1])
    })
  }
})
