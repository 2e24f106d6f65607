import { changelogTopicName, internalTopicName } from './names.ts'
import type { RepartitionNode, StoreDefinition } from './node.ts'
import { storesOf } from './node-stores.ts'
import type { Topology } from './topology.ts'

/** A store of a description: what its bytes and its place depend on. */
export interface StoreDescription {
  readonly name: string
  readonly kind: StoreDefinition['kind']
  /** Names of the serdes. */
  readonly key: string
  readonly value: string
  /** Full name of the changelog topic; null for a global table's store, which is read from its topic at each start, and for one that has none. */
  readonly changelog: string | null
  /** What the program adds to the changelog's configurations. */
  readonly changelogConfigs: Readonly<Record<string, string>>
  /** `memory` for a store that is kept there whatever the others are kept in; null: in the application's engine. */
  readonly engine: 'memory' | null
  /** What the steps that keep it do with it: `count`, `join` ... */
  readonly keptBy: readonly string[]
  /** Whether the name is worked out from the steps above, so that an edit there renames it. */
  readonly derivedName: boolean
  /** Null where the kind of store has none, or an unlimited one. */
  readonly windowSizeMs: number | null
  readonly retentionMs: number | null
  readonly historyMs: number | null
  /** How long rows live after their timestamps. */
  readonly ttlMs: number | null
  readonly indexBucketMs: number | null
}

/** A repartition topic of a description. */
export interface RepartitionDescription {
  /** As nodes name it. */
  readonly name: string
  /** As the log names it: with the application's prefix. */
  readonly topic: string
  readonly key: string
  readonly value: string
  /** Null: as many as the topics it is read with, or the widest that feeds it. */
  readonly partitions: number | null
  readonly derivedName: boolean
}

/** A global table of a description. */
export interface GlobalTableDescription {
  readonly topic: string
  readonly store: StoreDescription
}

/** What of a topology outlives its program: in the log, and in the state directory. */
export interface Inventory {
  readonly stores: readonly StoreDescription[]
  readonly repartitions: readonly RepartitionDescription[]
  readonly globalTables: readonly GlobalTableDescription[]
}

/**
 * What of a topology outlives its program.
 * @param verbOf What a step does, as a description says it.
 */
export function inventoryOf(topology: Topology, verbOf: (node: Topology['nodes'][number]) => string): Inventory {
  const keptBy = (store: StoreDefinition) =>
    topology.nodes.filter((node) => storesOf(node).some(({ name }) => name === store.name)).map(verbOf)
  return {
    stores: topology.stores.map((store) =>
      describeStore(store, {
        changelog: store.changelog === false ? null : changelogTopicName(topology.name, store.name),
        keptBy: keptBy(store)
      })
    ),
    repartitions: topology.nodes
      .filter((node): node is RepartitionNode => node.kind === 'repartition')
      .map((node) => describeRepartition(topology.name, node)),
    globalTables: topology.globalTables.map(({ topic, store, updates }) => ({
      topic,
      store: {
        ...describeStore(store, { changelog: null, keptBy: [updates ? 'process' : 'globalTable'] }),
        engine: 'memory'
      }
    }))
  }
}

function describeStore(
  store: StoreDefinition,
  { changelog, keptBy }: Pick<StoreDescription, 'changelog' | 'keptBy'>
): StoreDescription {
  return {
    name: store.name,
    kind: store.kind,
    key: store.key.name,
    value: store.value.name,
    changelog,
    changelogConfigs: store.changelog === false ? {} : (store.changelog ?? {}),
    engine: store.engine ?? null,
    keptBy,
    derivedName: store.derivedName === true,
    windowSizeMs: finite(store.windowSizeMs),
    retentionMs: finite(store.retentionMs),
    historyMs: finite(store.historyMs),
    ttlMs: finite(store.ttlMs),
    indexBucketMs: finite(store.indexBucketMs)
  }
}

function describeRepartition(application: string, node: RepartitionNode): RepartitionDescription {
  return {
    name: node.topic,
    topic: internalTopicName(application, node.topic),
    key: node.key.name,
    value: node.value.name,
    partitions: node.partitions ?? null,
    derivedName: node.derivedName === true
  }
}

/** Milliseconds, or null where there is no end. */
function finite(ms: number | undefined): number | null {
  return ms === undefined || ms === Number.MAX_SAFE_INTEGER ? null : ms
}
