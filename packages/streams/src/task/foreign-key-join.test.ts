import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { Topology } from '../graph/topology.ts'
import { keptRecord, type OutgoingRecord } from '../processor/record-collector.ts'
import { string } from '../serde/string.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import { fetchedRecord } from '../testing/single-record-batch.ts'
import { Task } from './task.ts'

const TEXT = { key: string(), value: string() }

function joined(kind: 'join' | 'leftJoin', emit: 'changes' | 'commit', more: object = {}): Topology {
  return defineTopology('fk', (b) => {
    const left = b.table<string, string>('left', { ...TEXT, emit, store: 'left-rows' })
    const right = b.table<string, string>('right', { ...TEXT, emit, store: 'right-rows' })
    const options = { foreignKey: (value: string) => foreignKeyOf(value), value: string(), ...more }
    const result =
      kind === 'join'
        ? left.join(right, (one, other) => `${one}+${other}`, options)
        : left.leftJoin(right, (one, other) => `${one}+${other}`, options)
    result.toStream().to('out')
  })
}

/** The foreign key is the first letter; `-` is none. */
function foreignKeyOf(value: string): string | null {
  return value.startsWith('-') ? null : value[0]
}

interface Write {
  readonly topic: 'left' | 'right'
  readonly key: string
  readonly value: string | null
}

/** What the join of the final tables is. */
function oracle(kind: 'join' | 'leftJoin', writes: readonly Write[]): Record<string, string> {
  const tables = { left: new Map<string, string>(), right: new Map<string, string>() }
  for (const { topic, key, value } of writes) {
    if (value === null) tables[topic].delete(key)
    else tables[topic].set(key, value)
  }
  const results: Record<string, string> = {}
  for (const [key, value] of tables.left) {
    const other = tables.right.get(foreignKeyOf(value) ?? '')
    if (other !== undefined || kind === 'leftJoin') results[key] = `${value}+${other ?? 'null'}`
  }
  return results
}

/** Runs the writes with the tasks' inputs delivered in an order that `choices` decides, and returns the last value of every key. */
async function run(
  topology: Topology,
  writes: readonly Write[],
  { choices, heard }: { readonly choices: readonly number[]; readonly heard?: (record: OutgoingRecord) => void }
) {
  const queues = new Map<string, OutgoingRecord[]>()
  const offsets = new Map<string, number>()
  const results: Record<string, string> = {}
  const send = (record: OutgoingRecord): void => {
    heard?.(record)
    const key = record.key?.toString() ?? ''
    if (record.topic === 'out' && record.value === null) delete results[key]
    else if (record.topic === 'out') results[key] = record.value?.toString() ?? ''
    else queues.set(record.topic, [...(queues.get(record.topic) ?? []), keptRecord(record)])
  }
  const tasks = await Promise.all(
    topology.subtopologies.map(async (subtopology) => {
      const definitions = topology.stores.filter(({ name }) => subtopology.stores.includes(name))
      const stores = await TaskStores.open({ definitions, engine: new MemoryEngine() })
      const collector = { send, partitionCount: () => 3, lookUp: () => undefined }
      const internalTopic = (name: string) => `fk-${name}`
      const task = new Task({ topology, subtopology, partition: 0, stores, collector, internalTopic })
      const topics = [...subtopology.sourceTopics, ...subtopology.repartitionSources.map(internalTopic)]
      return { task, stores, topics }
    })
  )
  const commit = async (index: number) => {
    const { task, stores } = tasks[index % tasks.length]
    await task.flush()
    await stores.apply({ changelogOffsets: new Map(), time: task.timeState(), nowMs: 0 })
  }
  const deliver = (choice: number): boolean => {
    const waiting = [...queues].filter(([, records]) => records.length > 0)
    if (waiting.length === 0) return false
    const [topic, records] = waiting[choice % waiting.length]
    const record = records[0]
    queues.set(topic, records.slice(1))
    const offset = offsets.get(topic) ?? 0
    offsets.set(topic, offset + 1)
    const { task } = tasks.find(({ topics }) => topics.includes(topic)) ?? tasks[0]
    task.offer(fetchedRecord({ ...record, offset }))
    task.process(1)
    return true
  }
  for (const { topic, key, value } of writes) {
    const bytes = value === null ? null : Buffer.from(value)
    send({ topic, partition: 0, key: Buffer.from(key), value: bytes, timestamp: 0, headers: [] })
  }
  for (const choice of choices) {
    if (choice % 5 === 4) await commit(choice)
    else deliver(choice)
  }
  for (let quiet = false; !quiet; ) {
    while (deliver(0));
    for (const index of tasks.keys()) await commit(index)
    quiet = [...queues.values()].every((records) => records.length === 0)
  }
  return results
}

const writes = fc.array(
  fc.oneof(
    fc.record({
      topic: fc.constant('left' as const),
      key: fc.constantFrom('k1', 'k2'),
      value: fc.constantFrom('a1', 'a2', 'b1', '-1', null)
    }),
    fc.record({
      topic: fc.constant('right' as const),
      key: fc.constantFrom('a', 'b'),
      value: fc.constantFrom('x', 'y', null)
    })
  ),
  { maxLength: 14 }
)
const choices = fc.array(fc.nat({ max: 100 }), { maxLength: 60 })

describe.each(['join', 'leftJoin'] as const)('a foreign-key %s', (kind) => {
  it.each(['changes', 'commit'] as const)(
    'ends with the join of the final tables, however its messages travel (%s)',
    async (emit) => {
      const topology = joined(kind, emit)
      await fc.assert(
        fc.asyncProperty(writes, choices, async (written, chosen) => {
          expect(await run(topology, written, { choices: chosen })).toEqual(oracle(kind, written))
        }),
        { numRuns: 400 }
      )
    }
  )

  it('sends questions and answers where the partitioners say', async () => {
    const right = (foreignKey: string, partitions: number) => foreignKey.charCodeAt(0) % partitions
    const left = (key: string, partitions: number) => (Number(key.slice(1)) + 1) % partitions
    const isRightOf = (of: 'both' | 'right') => (record: OutgoingRecord) => {
      const key = record.key?.toString() ?? ''
      if (record.topic.endsWith('-subscription')) expect(record.partition).toBe(key === '' ? 0 : right(key, 3))
      if (record.topic.endsWith('-answer')) expect(record.partition).toBe(of === 'both' ? left(key, 3) : 0)
    }
    const topologies = {
      both: joined(kind, 'changes', { partitioners: { left, right } }),
      right: joined(kind, 'changes', { partitioners: { right } })
    }
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('both', 'right'), writes, choices, async (of, written, chosen) => {
        const end = await run(topologies[of], written, { choices: chosen, heard: isRightOf(of) })
        expect(end).toEqual(oracle(kind, written))
      }),
      { numRuns: 200 }
    )
  })
})
