import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTopology } from '../dsl/define-topology.ts'
import type { StreamsBuilder } from '../dsl/streams-builder.ts'
import { untilWindowCloses } from '../dsl/suppress-until.ts'
import { sessions, sliding, tumbling, unlimited } from '../dsl/windows.ts'
import { boolean } from '../serde/boolean.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { describeTopology } from './describe.ts'
import { diffTopologies, formatDiff } from './diff.ts'
import { toDot } from './dot.ts'
import { formatLikeKafkaStreams } from './kafka-text.ts'
import { type LintFinding, lintTopology } from './lint.ts'
import { toMermaid } from './mermaid.ts'

interface Click {
  readonly ad: string
}
const clickSerdes = { key: string(), value: json<Click>() }
const topologyOf = (define: (b: StreamsBuilder) => void, name = 'app') => defineTopology(name, define)

const clicks = topologyOf((b) => {
  const campaigns = b.globalTable('campaigns', { key: string(), value: string(), store: 'campaigns' })
  b.stream('clicks', clickSerdes)
    .groupBy((click) => click.ad)
    .windowedBy(tumbling({ size: '1m', grace: '10s' }))
    .count({ store: 'per-ad' })
    .toStream()
    .to('counts')
  b.stream(/^raw-"x"/, clickSerdes)
    .join(campaigns, (click, name) => ({ ...click, name }), { key: (click) => click.ad })
    .to((click) => click.ad, { key: string(), value: json() })
})

describe('a description', () => {
  const schema = z.fromJSONSchema(
    JSON.parse(readFileSync(new URL('../../../../docs/topology.schema.json', import.meta.url), 'utf8'))
  )

  it('is of the published schema, and the schema refuses what is not', () => {
    const description = JSON.parse(JSON.stringify(describeTopology(clicks)))
    expect(schema.parse(description)).toEqual(description)
    expect(schema.safeParse({ ...description, format: 2 }).success).toBe(false)
    expect(schema.safeParse({ ...description, more: 1 }).success).toBe(false)
    const [store] = description.stores
    expect(schema.safeParse({ ...description, stores: [{ ...store, kind: 'heap' }] }).success).toBe(false)
    expect(schema.safeParse({ ...description, stores: [{ ...store, retentionMs: '7' }] }).success).toBe(false)
  })

  it('lists what outlives the program', () => {
    expect(describeTopology(clicks)).toMatchObject({
      stores: [
        {
          name: 'per-ad',
          kind: 'window',
          changelog: 'app-per-ad-changelog',
          keptBy: ['count'],
          derivedName: false,
          windowSizeMs: 60_000
        }
      ],
      repartitions: [{ topic: 'app-clicks-groupBy-repartition', partitions: null, derivedName: true }],
      globalTables: [{ topic: 'campaigns', store: { name: 'campaigns', changelog: null } }]
    })
  })

  it('says what its steps do with time, as numbers', () => {
    const timed = topologyOf((b) => {
      b.table('users', { key: string(), value: string(), store: 'users', ttl: '1d' })
      b.stream('clicks', clickSerdes)
        .groupByKey()
        .windowedBy(tumbling({ size: '1m', grace: '10s' }))
        .count({ store: 'n', emit: 'final', idle: '30s' })
        .suppress(untilWindowCloses({ idle: '5s' }))
    })
    const description = describeTopology(timed)
    expect(schema.parse(JSON.parse(JSON.stringify(description)))).toEqual(description)
    const timing = description.subtopologies
      .flatMap(({ nodes }) => nodes)
      .map(({ does, emit, graceMs, idleMs, ttlMs }) => [does, emit, graceMs, idleMs, ttlMs])
    expect(timing).toEqual([
      ['source', null, null, null, null],
      ['table', 'changes', null, null, 86_400_000],
      ['source', null, null, null, null],
      ['count', 'final', 10_000, 30_000, null],
      ['suppress', null, null, 5_000, null]
    ])
    expect(description.stores.map(({ name, ttlMs }) => [name, ttlMs])).toContainEqual(['users', 86_400_000])
    expect(
      schema.safeParse({ ...description, subtopologies: [{ ...description.subtopologies[0], nodes: [{}] }] }).success
    ).toBe(false)
  })

  it("is text like Kafka Streams'", () => {
    expect(formatLikeKafkaStreams(clicks)).toMatchInlineSnapshot(`
      "Topologies:
         Sub-topology: 0
          Source: clicks-source (topics: [clicks])
            --> clicks-groupBy
          Processor: clicks-groupBy (stores: [])
            --> clicks-groupBy-repartition
            <-- clicks-source
          Sink: clicks-groupBy-repartition (topic: clicks-groupBy-repartition)
            <-- clicks-groupBy

         Sub-topology: 1
          Source: clicks-groupBy-repartition-source (topics: [clicks-groupBy-repartition])
            --> per-ad-tumbling-1m-count
          Processor: per-ad-tumbling-1m-count (stores: [per-ad])
            --> per-ad-toStream
            <-- clicks-groupBy-repartition-source
          Processor: per-ad-toStream (stores: [])
            --> counts-sink
            <-- per-ad-tumbling-1m-count
          Sink: counts-sink (topic: counts)
            <-- per-ad-toStream

         Sub-topology: 2
          Source: raw-x-source (topics: /^raw-"x"/)
            --> raw-x-join
          Processor: raw-x-join (stores: [campaigns])
            --> raw-x-to
            <-- raw-x-source
          Sink: raw-x-to (extractor class: a function)
            <-- raw-x-join

         Sub-topology: 3 for global store (will not generate tasks)
          Source: campaigns-source (topics: [campaigns])
            --> campaigns
          Processor: campaigns (stores: [campaigns])
            --> none
            <-- campaigns-source
      "
    `)
  })
})

describe('a drawing', () => {
  it('is Mermaid', () => {
    expect(toMermaid(clicks)).toMatchInlineSnapshot(`
      "flowchart TD
        subgraph n0["sub-topology 0"]
          n1["clicks-source<br/>source<br/>clicks (string, json)"]
          n2["clicks-groupBy<br/>selectKey"]
          n3["clicks-groupBy-repartition<br/>repartition<br/>clicks-groupBy-repartition (string, json)"]
        end
        subgraph n4["sub-topology 1"]
          n5["clicks-groupBy-repartition-source<br/>source<br/>clicks-groupBy-repartition (string, json)"]
          n6["per-ad-tumbling-1m-count<br/>count<br/>tumbling 1m grace 10s in per-ad, emits commit"]
          n7["per-ad-toStream<br/>toStream"]
          n8["counts-sink<br/>sink<br/>counts (windowed(string), long)"]
          n9[("per-ad")]
        end
        subgraph n10["sub-topology 2"]
          n11["raw-x-source<br/>source<br/>/^raw-#34;x#34;/ (string, json)"]
          n12["raw-x-join<br/>join<br/>with campaigns"]
          n13["raw-x-to<br/>sink<br/>by function (string, json)"]
        end
        n14(["clicks"])
        n15(["clicks-groupBy-repartition"]):::internal
        n16(["counts"])
        n17(["/^raw-#34;x#34;/"])
        n18(["campaigns"])
        n19[("campaigns<br/>global")]
        n14 --> n1
        n1 --> n2
        n2 --> n3
        n3 --> n15
        n15 --> n5
        n5 --> n6
        n6 --> n7
        n6 -.- n9
        n7 --> n8
        n8 --> n16
        n17 --> n11
        n11 --> n12
        n12 --> n13
        n12 -.- n19
        n18 --> n19
        classDef internal stroke-dasharray: 4 3
      "
    `)
  })

  it('is DOT', () => {
    expect(toDot(clicks)).toMatchInlineSnapshot(`
      "digraph "app" {
        node [fontname="sans-serif", fontsize=11]
        subgraph cluster_n0 {
          label="sub-topology 0"
          n1 [label="clicks-source\\nsource\\nclicks (string, json)", shape=box]
          n2 [label="clicks-groupBy\\nselectKey", shape=box]
          n3 [label="clicks-groupBy-repartition\\nrepartition\\nclicks-groupBy-repartition (string, json)", shape=box]
        }
        subgraph cluster_n4 {
          label="sub-topology 1"
          n5 [label="clicks-groupBy-repartition-source\\nsource\\nclicks-groupBy-repartition (string, json)", shape=box]
          n6 [label="per-ad-tumbling-1m-count\\ncount\\ntumbling 1m grace 10s in per-ad, emits commit", shape=box]
          n7 [label="per-ad-toStream\\ntoStream", shape=box]
          n8 [label="counts-sink\\nsink\\ncounts (windowed(string), long)", shape=box]
          n9 [label="per-ad", shape=cylinder]
        }
        subgraph cluster_n10 {
          label="sub-topology 2"
          n11 [label="raw-x-source\\nsource\\n/^raw-\\"x\\"/ (string, json)", shape=box]
          n12 [label="raw-x-join\\njoin\\nwith campaigns", shape=box]
          n13 [label="raw-x-to\\nsink\\nby function (string, json)", shape=box]
        }
        n14 [label="clicks", shape=cds]
        n15 [label="clicks-groupBy-repartition", shape=cds, style=dashed]
        n16 [label="counts", shape=cds]
        n17 [label="/^raw-\\"x\\"/", shape=cds]
        n18 [label="campaigns", shape=cds]
        n19 [label="campaigns\\nglobal", shape=cylinder]
        n14 -> n1
        n1 -> n2
        n2 -> n3
        n3 -> n15
        n15 -> n5
        n5 -> n6
        n6 -> n7
        n6 -> n9 [style=dotted, arrowhead=none]
        n7 -> n8
        n8 -> n16
        n17 -> n11
        n11 -> n12
        n12 -> n13
        n12 -> n19 [style=dotted, arrowhead=none]
        n18 -> n19
      }
      "
    `)
  })
})

describe('lint', () => {
  const rulesOf = (define: (b: StreamsBuilder) => void) =>
    lintTopology(topologyOf(define)).map(({ rule, node }: LintFinding) => [rule, node])

  it('has nothing to say of windows with a grace, named all through', () => {
    const findings = rulesOf((b) => {
      b.stream('clicks', clickSerdes)
        .groupBy((click) => click.ad, { name: 'by-ad' })
        .windowedBy(tumbling({ size: '1m', grace: '10s' }))
        .count({ store: 'per-ad' })
    })
    expect(findings).toEqual([])
  })

  it('finds state that only grows', () => {
    const findings = rulesOf((b) => {
      const stream = b.stream('clicks', clickSerdes)
      stream.groupByKey().count({ store: 'counts' })
      stream.groupByKey().windowedBy(unlimited()).count({ store: 'all-time' })
      b.table('users', { key: string(), value: string(), store: 'users' })
      b.stream('flags', { key: boolean(), value: string() }).groupByKey().count({ store: 'two-keys' })
    })
    expect(findings).toEqual([
      ['unbounded-state', 'counts-count'],
      ['unbounded-state', 'all-time-unlimited-count'],
      ['unbounded-state', 'users-table']
    ])
  })

  it('finds windows and joins without grace', () => {
    const findings = rulesOf((b) => {
      const stream = b.stream('clicks', clickSerdes)
      stream
        .groupByKey()
        .windowedBy(sliding({ difference: '1m' }))
        .count({ store: 'counts' })
    })
    expect(findings).toEqual([['zero-grace', expect.stringContaining('counts')]])
  })

  it('finds windows without grace below asynchronous steps whose results overtake', () => {
    const below = (order: 'key' | 'partition') =>
      rulesOf((b) => {
        b.stream('clicks', clickSerdes)
          .mapAsync(async (click) => click, { order, value: json<Click>(), name: 'looked-up' })
          .groupBy((click) => click.ad, { name: 'by-ad' })
          .windowedBy(tumbling({ size: '1m' }))
          .count({ store: 'n' })
      }).map(([rule]) => rule)
    expect(below('key')).toEqual(['zero-grace', 'overtaken-records'])
    expect(below('partition')).toEqual(['zero-grace'])
  })

  it('finds sessions whose updates wait for a commit where their join is grouped', () => {
    const joined = (emit: 'changes' | 'commit') =>
      rulesOf((b) => {
        const counted = (topic: string) =>
          b
            .stream(topic, clickSerdes)
            .groupByKey()
            .windowedBy(sessions({ gap: '1m' }))
            .count({ store: `${topic}-sessions`, emit })
        const both = counted('clicks').join(counted('views'), (left, right) => left + right, {
          store: 'both',
          value: long()
        })
        both
          .filter((sum) => sum > 1)
          .groupBy((sum) => `${sum}`, { name: 'by-sum' })
          .count({ store: 'sums' })
        both.toStream({ name: 'not-grouped' })
      }).filter(([rule]) => rule === 'held-back-sessions')
    expect(joined('commit')).toEqual([
      ['held-back-sessions', 'by-sum'],
      ['held-back-sessions', 'by-sum']
    ])
    expect(joined('changes')).toEqual([])
  })

  it('finds keys that are changed before a join, and streams that are repartitioned twice', () => {
    const findings = rulesOf((b) => {
      const users = b.table('users', { key: string(), value: string(), store: 'users' })
      const byAd = b.stream('clicks', clickSerdes).selectKey((click) => click.ad)
      byAd
        .filter((click) => click.ad !== '')
        .join(users, (click) => click, { name: 'with-user' })
        .to('joined', { value: json() })
      byAd
        .groupByKey({ name: 'counted' })
        .windowedBy(tumbling({ size: '1m', grace: '1m' }))
        .count({ store: 'n' })
      byAd
        .groupByKey({ name: 'again' })
        .windowedBy(tumbling({ size: '2m', grace: '1m' }))
        .count({ store: 'm' })
    })
    expect(findings.filter(([rule]) => rule !== 'unbounded-state')).toEqual([
      ['repeated-repartition', 'clicks-selectKey'],
      ['key-changed-before-join', 'with-user']
    ])
  })

  it('finds keys of few values, and takes no function that looks at the record for a constant', () => {
    const findings = rulesOf((b) => {
      const stream = b.stream('clicks', clickSerdes)
      const windows = tumbling({ size: '1m', grace: '1m' })
      stream
        .groupBy(() => 'all', { name: 'constant' })
        .windowedBy(windows)
        .count({ store: 'a' })
      stream
        .groupBy((...[click]) => click.ad, { name: 'rest' })
        .windowedBy(windows)
        .count({ store: 'b' })
      stream
        .groupBy((click) => click.ad === '', { name: 'flag', key: boolean() })
        .windowedBy(windows)
        .count({ store: 'c' })
    })
    expect(findings).toEqual([
      ['low-cardinality-key', 'constant'],
      ['low-cardinality-key', expect.stringContaining('flag')]
    ])
  })

  it('finds names that an edit changes', () => {
    const findings = lintTopology(
      topologyOf((b) => {
        b.stream('clicks', clickSerdes)
          .groupBy((click) => click.ad)
          .windowedBy(tumbling({ size: '1m', grace: '10s' }))
          .count()
      })
    )
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringContaining("internal topic 'clicks-groupBy-repartition'"),
      expect.stringContaining("store 'clicks-groupBy-tumbling-1m-count'")
    ])
  })
})

describe('lint of foreign-key joins', () => {
  const derivedNames = (options: { name?: string }) =>
    lintTopology(
      topologyOf((b) => {
        const ads = b.table('ads', { ...clickSerdes, store: 'ads' })
        const owners = b.table('owners', { key: string(), value: string(), store: 'owners' })
        ads.join(owners, (click, owner) => ({ ...click, owner }), {
          foreignKey: (click) => click.ad,
          value: json<Click & { owner: string }>(),
          store: 'owned',
          ...options
        })
      })
    ).filter(({ rule }) => rule === 'derived-name')

  it('finds the names of what the join makes, unless the program names the join', () => {
    expect(derivedNames({})).toHaveLength(3)
    expect(derivedNames({ name: 'ad-owner' })).toEqual([])
  })
})

describe('a diff', () => {
  const counting = (options: { size?: '1m' | '2m'; filter?: boolean; store?: string; grace?: '1s' | '9s' } = {}) =>
    describeTopology(
      topologyOf((b) => {
        const stream = b.stream('clicks', clickSerdes)
        const kept = options.filter ? stream.filter((click) => click.ad !== '') : stream
        const grouped = kept.groupBy((click) => click.ad)
        const windowed = grouped.windowedBy(tumbling({ size: options.size ?? '1m', grace: options.grace ?? '1s' }))
        if (options.store === undefined) windowed.count()
        else windowed.count({ store: options.store })
      })
    )
  const outcomes = (...[before, after]: Parameters<typeof diffTopologies>) =>
    diffTopologies(before, after).changes.map(({ outcome, name }) => `${outcome} ${name}`)

  it('keeps everything when only steps without state change', () => {
    const diff = diffTopologies(counting(), counting({ filter: true }))
    expect(diff.changes.map(({ outcome }) => outcome)).toEqual(['survives', 'survives'])
    expect(diff).toMatchObject({ mustReset: false, sources: { added: [], removed: [] } })
  })

  it('tells a store that is left behind, and what it may be called now', () => {
    const diff = diffTopologies(counting(), counting({ store: 'per-ad' }))
    expect(outcomes(counting(), counting({ store: 'per-ad' }))).toEqual([
      'new per-ad',
      'orphaned clicks-groupBy-tumbling-1m-count',
      'survives clicks-groupBy-repartition'
    ])
    expect(formatDiff(diff)).toContain("may be what is 'per-ad' now: its name was worked out")
  })

  it('asks for a reset when the same name means other bytes', () => {
    const diff = diffTopologies(counting({ store: 'per-ad' }), counting({ store: 'per-ad', size: '2m' }))
    expect(diff.mustReset).toBe(true)
    expect(diff.changes[0]).toMatchObject({
      outcome: 'reset',
      topic: 'app-per-ad-changelog',
      reasons: ['window size in ms: 60000 -> 120000']
    })
    const reduced = describeTopology(
      topologyOf((b) => {
        b.stream('clicks', { key: string(), value: long() })
          .groupByKey()
          .reduce((value, sum) => value + sum, { store: 'per-ad' })
      })
    )
    expect(diffTopologies(counting({ store: 'per-ad' }), reduced).changes[0]).toMatchObject({
      outcome: 'reset',
      reasons: expect.arrayContaining(['kind: window -> key-value', expect.stringContaining('count -> reduce')])
    })
  })

  it('lets a grace change, and says what stays', () => {
    const { changes, mustReset } = diffTopologies(counting({ store: 'n' }), counting({ store: 'n', grace: '9s' }))
    expect(mustReset).toBe(false)
    expect(changes[0]).toMatchObject({ outcome: 'survives', reasons: [expect.stringContaining('retention in ms')] })
  })

  it('takes another name of the application for another application', () => {
    const renamed = describeTopology(
      topologyOf((b) => b.table('users', { key: string(), value: string(), store: 'u' }), 'other')
    )
    const diff = diffTopologies(counting(), renamed)
    expect(diff.changes.map(({ outcome }) => outcome)).toEqual(['new', 'orphaned', 'orphaned'])
    expect(diff.sources).toEqual({ added: ['users'], removed: ['clicks'] })
    expect(formatDiff(diff)).toContain('app -> other: another application')
  })
})
