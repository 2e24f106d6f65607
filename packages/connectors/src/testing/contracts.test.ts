import type { Environment } from '@millrace/log'
import type { ContractCase } from '@millrace/log/testing'
import { FileEngine } from '@millrace/streams'
import { describe, expect, it } from 'vitest'
import { stateTopic } from '../runtime/names.ts'
import { SOURCE_STEPS } from '../runtime/steps.ts'
import type { Sink, SinkOffset } from '../sink.ts'
import type { Source } from '../source.ts'
import { CrashingLog, Freezer } from './crashing-log.ts'
import { MemoryQueue } from './memory-source.ts'
import { MemoryTarget } from './memory-target.ts'
import { eventually } from './patience.ts'
import { type SinkUnderTest, sinkContract } from './sink-contract.ts'
import { type SourceUnderTest, sourceContract } from './source-contract.ts'

describe('the contract of sources, of one in memory', () => {
  for (const { name, run } of sourceContract(async () => new MemoryQueue())) it(name, run)
})

describe('the state of a source', () => {
  it('is that of its records, whenever the process was killed', async () => {
    const queue = new MemoryQueue()
    const log = await CrashingLog.open()
    const engine = (path: string, environment: Environment) => FileEngine.open(path, environment)
    for (const step of SOURCE_STEPS) {
      const connector = { source: queue.source(), commitInterval: 2, transactionRecords: 1, engine } as const
      await queue.produce(10)
      const freezer = new Freezer(step, 1)
      await log.run(connector, freezer)
      await freezer.frozen
      await log.crash()
    }
    await log.run({ source: queue.source(), engine })
    const counted = await eventually(
      'all to be counted',
      () => log.contents(stateTopic('memory-queue')),
      (records) => Number(records.at(-1)?.value) === queue.size
    )
    expect((await log.contents('things')).length).toBe(queue.size)
    expect(counted.map(({ value }) => Number(value))).toEqual(
      counted.map(({ value }) => Number(value)).toSorted((a, b) => a - b)
    )
    await log.close()
  })
})

describe('the contract of sinks, of a transactional one in memory', () => {
  for (const { name, run } of sinkContract(async () => new MemoryTarget('transactional'))) it(name, run)
})

describe('the contract of sinks, of an idempotent one in memory', () => {
  for (const { name, run } of sinkContract(async () => new MemoryTarget('idempotent'))) it(name, run)
})

describe('the contracts notice', () => {
  const caseOf = (cases: readonly ContractCase[], name: string) => cases.find((one) => one.name.includes(name))?.run()

  it('a target that lets a zombie write', async () => {
    const target = new MemoryTarget('transactional')
    const sink = (): Sink => {
      const careful = target.sink()
      if (careful.delivery !== 'transactional') return careful
      let opened: Parameters<typeof careful.open> | undefined
      return {
        name: careful.name,
        delivery: 'transactional',
        open: (...given) => {
          opened = given
          return careful.open(...given)
        },
        // Each write makes itself the newest.
        write: async (batch, offsets) => {
          if (opened !== undefined) await careful.open(...opened)
          await careful.write(batch, offsets)
        },
        close: () => careful.close()
      }
    }
    const under: SinkUnderTest = { ...underTest(target), sink, patienceMs: 1000 }
    await expect(
      caseOf(
        sinkContract(async () => under),
        'a zombie'
      )
    ).rejects.toThrow(/did not come true|seen twice/)
  })

  it.each(['rows first', 'offsets first'] as const)(
    'a target whose rows and offsets are not written as one: %s',
    async (order) => {
      const target = new MemoryTarget('transactional')
      const sink = (): Sink => {
        const careful = target.sink()
        if (careful.delivery !== 'transactional') return careful
        const moveOffsets = async (offsets: readonly SinkOffset[]) => careful.write([], offsets)
        return {
          name: careful.name,
          delivery: 'transactional',
          open: (...given) => careful.open(...given),
          async write(batch, offsets) {
            if (order === 'offsets first') await moveOffsets(offsets)
            if (order === 'rows first') await careful.write(batch, [])
            // Long enough that somebody opens it meanwhile.
            for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve))
            if (order === 'offsets first') await careful.write(batch, [])
            if (order === 'rows first') await careful.moveOffsets?.(offsets)
          },
          close: () => careful.close()
        }
      }
      const under: SinkUnderTest = { ...underTest(target), sink }
      await expect(
        caseOf(
          sinkContract(async () => under),
          'within a write, 30 turns'
        )
      ).rejects.toThrow(/by one whose partitions another has opened/)
    }
  )

  it('a source whose positions are ahead of its records', async () => {
    const queue = new MemoryQueue()
    const source = (): Source<unknown> => ({
      name: 'hasty',
      open: async (positions, context) => {
        const reader = await queue.source().open(positions, context)
        return {
          read: async () => {
            const batch = await reader.read()
            if (batch === undefined) return undefined
            const ahead = [...batch.positions].map(([split, at]): [string, unknown] => [split, Number(at) + 1])
            return { records: batch.records, positions: new Map(ahead) }
          },
          committed: (newest) => reader.committed(newest),
          close: () => reader.close()
        }
      }
    })
    const under: SourceUnderTest = {
      source,
      topics: queue.topics,
      produce: (count) => queue.produce(count),
      idOf: (record) => queue.idOf(record),
      close: () => queue.close(),
      patienceMs: 1000
    }
    await expect(
      caseOf(
        sourceContract(async () => under),
        'clean stop'
      )
    ).rejects.toThrow('did not come true')
  })
})

function underTest(target: MemoryTarget): Omit<SinkUnderTest, 'sink'> {
  return {
    mode: target.mode,
    record: (id, content) => target.record(id, content),
    read: () => target.read(),
    changes: () => target.changes(),
    close: () => target.close()
  }
}
