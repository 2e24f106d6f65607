import type { FetchedPartition, RecordBatch } from '@millrace/log'
import { internalTopicName } from '../graph/names.ts'
import type { SourceNode } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { FrequentKeys } from '../observe/frequent-keys.ts'
import type { HotKey, PartitionLoad, SkewReport, TopicSkew } from '../observe/skew.ts'

/** Of each partition's records about one in so many is looked at for its key; whole batches at a time. */
const SAMPLED_RECORDS = 128
/** Counters of a topic's keys; twice as many at times. */
const KEYS_COUNTED = 256
/** After so many records that were looked at, older ones weigh half. */
const FORGET_AFTER_RECORDS = 100_000
const HOT_SHARE = 0.01
const HOT_KEYS = 10
/** Records without a key; no key's bytes as latin1 have a character above 255. */
const NO_KEY = '\u{100}'

interface TopicLoad {
  readonly partitions: Map<number, { records: number; bytes: number; sampled: number }>
  readonly keys: FrequentKeys
  sinceForgotten: number
}

/**
 * Counts what comes from each partition, and looks into about one batch of 128 for its keys. It costs some 5 ns a record, for compressed batches a 128th of
 * unpacking them once more, and some 50 KiB a topic.
 */
export class SkewMeter {
  readonly #topics = new Map<string, TopicLoad>()

  /** Takes note of what a poll returned. */
  fetched(partitions: readonly FetchedPartition[]): void {
    for (const { topic, partition, batches } of partitions) {
      const load = this.#loadOf(topic)
      const sum = load.partitions.get(partition) ?? { records: 0, bytes: 0, sampled: 0 }
      load.partitions.set(partition, sum)
      for (const batch of batches) {
        // Its first batch too, so that every partition has its part in the sample.
        if (sum.sampled * SAMPLED_RECORDS <= sum.records) {
          sum.sampled += batch.recordCount
          sample(batch, load)
        }
        sum.records += batch.recordCount
        sum.bytes += batch.buffer.length
      }
    }
  }

  /** What was seen, of the topics that the topology reads. */
  report(topology: Topology): SkewReport {
    const topics = topology.nodes.flatMap((node): TopicSkew[] => {
      if (node.kind !== 'source') return []
      const names =
        node.repartitionOf === undefined
          ? node.topics
          : node.topics.map((topic) => internalTopicName(topology.name, topic))
      const subtopology = topology.subtopologies.find(({ nodes }) => nodes.includes(node.name))?.id ?? 0
      return names.flatMap((topic) => {
        const load = this.#topics.get(topic)
        return load === undefined
          ? []
          : [{ topic, source: node.name, subtopology, ...spread(load), hotKeys: hotKeys(load, node) }]
      })
    })
    return { topics }
  }

  /** The greatest imbalance among the topics; 1 where there is none. */
  get imbalance(): number {
    let greatest = 1
    for (const { partitions } of this.#topics.values()) {
      let [total, most] = [0, 0]
      for (const { records } of partitions.values()) {
        total += records
        if (records > most) most = records
      }
      if (total > 0) greatest = Math.max(greatest, (most * partitions.size) / total)
    }
    return greatest
  }

  #loadOf(topic: string): TopicLoad {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    const load = { partitions: new Map(), keys: new FrequentKeys(KEYS_COUNTED), sinceForgotten: 0 }
    this.#topics.set(topic, load)
    return load
  }
}

function sample(batch: RecordBatch, load: TopicLoad): void {
  const view = batch.records()
  try {
    while (view.next()) {
      const { buffer, keyStart, keyEnd } = view
      load.keys.add(keyStart < 0 ? NO_KEY : buffer.toString('latin1', keyStart, keyEnd))
      if (++load.sinceForgotten < FORGET_AFTER_RECORDS) continue
      load.sinceForgotten = 0
      load.keys.forgetHalf()
    }
  } catch {
    // The task that is going to read the batch says what is wrong with it.
  }
}

function spread({ partitions }: TopicLoad): { readonly partitions: PartitionLoad[]; readonly imbalance: number } {
  let total = 0
  for (const { records } of partitions.values()) total += records
  const loads = [...partitions].map(([partition, { records, bytes }]) => {
    return { partition, records, bytes, share: total === 0 ? 0 : records / total }
  })
  loads.sort((a, b) => b.records - a.records || a.partition - b.partition)
  return { partitions: loads, imbalance: total === 0 ? 1 : loads[0].share * loads.length }
}

function hotKeys({ keys }: TopicLoad, source: SourceNode): HotKey[] {
  const { total } = keys
  return keys
    .top(HOT_KEYS)
    .filter(({ atLeast }) => atLeast > HOT_SHARE * total)
    .map(({ key, atMost, atLeast }) => ({
      key: key === NO_KEY ? null : decoded(source, Buffer.from(key, 'latin1')),
      share: Math.min(1, atMost / total),
      shareAtLeast: atLeast / total
    }))
}

function decoded({ key }: SourceNode, bytes: Buffer): unknown {
  try {
    return key.decode(bytes, 0, bytes.length)
  } catch {
    return bytes
  }
}
