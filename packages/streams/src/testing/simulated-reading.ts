import { type Log, partitionKey, UsageError } from '@millrace/log'
import type { StreamsApp } from '../app/streams-app.ts'
import { lateTopicOf } from '../graph/make-late-records.ts'
import type { StoreDefinition } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { StoreEntry } from '../query/queryable-store.ts'
import type { Serde } from '../serde/serde.ts'
import type { SimulatedRecord, SimulatedResult } from './simulated-result.ts'
import { outputSerdes, type TopicSerdes } from './topic-serdes.ts'

/** A run that has come to rest. */
export interface SimulatedEnd {
  readonly topology: Topology
  /** Serdes given by topic. */
  readonly topics: Readonly<Record<string, TopicSerdes<unknown, unknown>>>
  readonly partitions: number
  readonly log: Log
  /** One an instance. */
  readonly apps: readonly StreamsApp[]
}

/** What was read at the end. */
export type SimulatedReading = Pick<SimulatedResult, 'table' | 'output' | 'latest'>

type AnyRecord = SimulatedRecord<unknown, unknown>

const POLL_MS = 50

/** Reads all tables that have a name, all topics that the topology writes, and those that serdes were given for. */
export async function readEnd(end: SimulatedEnd): Promise<SimulatedReading> {
  const { topology } = end
  const tables = new Map<string, StoreEntry<unknown, unknown>[]>()
  const globals = topology.globalTables.map(({ store }) => store)
  for (const store of topology.stores) if (store.named) tables.set(store.name, await readTable(store, end.apps))
  // Every instance has all of a global table.
  for (const store of globals) if (store.named) tables.set(store.name, await readTable(store, end.apps.slice(0, 1)))
  const outputs = new Map<string, AnyRecord[]>()
  for (const topic of topicsWritten(topology, end.topics)) outputs.set(topic, await readTopic(topic, end))
  const records = (topic: string): readonly AnyRecord[] => found(outputs, topic, 'writes no topic')
  return {
    // The topology's serdes made keys and values; the test names their types.
    table: <K, V>(store: string) => found(tables, store, 'has no store') as readonly StoreEntry<K, V>[],
    output: <K, V>(topic: string) => records(topic) as readonly SimulatedRecord<K, V>[],
    latest: <K, V>(topic: string) => {
      const { key } = outputSerdes(topology, topic, end.topics[topic] ?? {})
      return lastOfEachKey(records(topic), key) as readonly SimulatedRecord<K, V>[]
    }
  }
}

async function readTable(store: StoreDefinition, apps: readonly StreamsApp[]): Promise<StoreEntry<unknown, unknown>[]> {
  const rows: { readonly entry: StoreEntry<unknown, unknown>; readonly key: Buffer }[] = []
  for (const app of apps) {
    for await (const entry of app.store(store.name).all()) rows.push({ entry, key: store.key.encode(entry.key) })
  }
  const startOf = ({ entry }: (typeof rows)[number]): number => entry.window?.startMs ?? 0
  rows.sort((one, other) => startOf(one) - startOf(other) || Buffer.compare(one.key, other.key))
  return rows.map(({ entry }) => entry)
}

async function readTopic(topic: string, { topology, topics, partitions, log }: SimulatedEnd): Promise<AnyRecord[]> {
  const serdes = outputSerdes(topology, topic, topics[topic] ?? {})
  const consumer = log.consumer({ isolation: 'read_committed' })
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  const ends = await consumer.endOffsets(all, 'read_committed')
  consumer.assign(all)
  for (const at of all) consumer.seek(at, 0)
  const records: AnyRecord[] = []
  const isBehind = (at: (typeof all)[number]): boolean =>
    consumer.position(at) < (ends.get(partitionKey(topic, at.partition)) ?? 0)
  while (all.some(isBehind)) {
    for (const { partition, batches } of await consumer.poll(POLL_MS)) {
      for (const batch of batches) {
        const view = batch.records()
        while (view.next()) {
          const [key, value] = [decoded(serdes.key, view.key()), decoded(serdes.value, view.value())]
          records.push({
            key,
            value,
            timestamp: view.timestamp,
            headers: view.headers(),
            partition,
            offset: view.offset
          })
        }
      }
    }
  }
  await consumer.close()
  return records.sort((one, other) => one.partition - other.partition || one.offset - other.offset)
}

/** A topic that is read is no output, though serdes may have been given for it. */
function topicsWritten({ nodes, globalTables }: Topology, given: SimulatedEnd['topics']): Set<string> {
  const written = nodes.flatMap((node) => (node.kind === 'sink' ? node.topic : (lateTopicOf(node) ?? [])))
  const read = nodes.flatMap((node) => (node.kind === 'source' ? node.topics : []))
  const input = new Set([...read, ...globalTables.map(({ topic }) => topic)])
  return new Set([...written, ...Object.keys(given).filter((topic) => !input.has(topic))])
}

function lastOfEachKey(records: readonly AnyRecord[], serde: Serde<unknown>): AnyRecord[] {
  const last = new Map<string, AnyRecord>()
  for (const record of records) {
    last.set(record.key === null ? 'null' : `=${serde.encode(record.key).toString('latin1')}`, record)
  }
  return [...last.values()]
}

function decoded<T>(serde: Serde<T>, bytes: Buffer | null): T | null {
  return bytes === null ? null : serde.decode(bytes, 0, bytes.length)
}

function found<T>(all: ReadonlyMap<string, T>, name: string, complaint: string): T {
  const one = all.get(name)
  if (one === undefined) {
    throw new UsageError(`the topology ${complaint} ${name}; there are: ${[...all.keys()].join(', ') || 'none'}`)
  }
  return one
}
