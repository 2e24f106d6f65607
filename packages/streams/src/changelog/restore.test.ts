import { type Log, openLog } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { string } from '../serde/string.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import { type RestoreContext, restoreStores } from './restore.ts'

const TOPIC = 'changelog'

let log: Log
beforeEach(async () => {
  log = await openLog('memory:')
  await log.admin().ensureTopic({ name: TOPIC, partitions: 1, configs: {} })
})
afterEach(() => log.close())

async function write(...values: readonly string[]): Promise<void> {
  const producer = log.producer()
  for (const value of values) producer.enqueue(TOPIC, 0, Buffer.from('k'), Buffer.from(value), 0)
  await producer.close()
}

async function openStores(): Promise<TaskStores> {
  return TaskStores.open({
    definitions: [{ name: 'store', kind: 'key-value', key: string(), value: string(), named: true }],
    engine: new MemoryEngine()
  })
}

async function restore(stores: TaskStores, context: RestoreContext, offsets: { from: number; to: number }) {
  const job = { store: 'store', task: '0_0', stores, topic: TOPIC, partition: 0 }
  await restoreStores([{ ...job, fromOffset: offsets.from, endOffset: offsets.to }], context)
}

describe('restoring stores', () => {
  it('restores what was restored before and went on meanwhile, with the same consumer', async () => {
    const consumer = log.consumer()
    const context = { consumer, environment: log.environment, progress: () => undefined, stopped: () => false }
    await write('a', 'b')
    const first = await openStores()
    await restore(first, context, { from: 0, to: 2 })
    expect(first.keyValue('store').get('k')?.value).toBe('b')
    await write('c')
    const second = await openStores()
    await restore(second, context, { from: 0, to: 3 })
    expect(second.keyValue('store').get('k')?.value).toBe('c')
    await consumer.close()
  })
})
