import { InvariantError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { tumbling } from '../dsl/windows.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { TaskBench } from '../testing/task-bench.ts'
import { deadLetter, type ErrorPolicies, fail, skip } from './error-policy.ts'

const text = { key: string(), value: string() }
const at = (timestamp: number, value: string | Buffer) => ({ key: 'k', value, timestamp })

function refuseBad(value: string): void {
  if (value === 'bad') throw new RangeError('refused')
}

/** Counts and forwards, in this order, before the step that refuses `bad`: what it did must be undone. */
const guarded = defineTopology('guarded', (builder) => {
  const input = builder.stream('in', text)
  const counts = input
    .groupByKey()
    .windowedBy(tumbling({ size: 10 }))
    .count({ emit: 'changes', store: 'counts' })
  counts.toStream().mapValues(String, { value: string() }).to('counts')
  input.to('copies')
  input.peek(refuseBad, { name: 'check' })
})

describe('a callback that fails', () => {
  it('fails the task by default, naming where', async () => {
    for (const policies of [{}, { processing: fail() }]) {
      const bench = await TaskBench.open(guarded, policies)
      bench.feed('in', [at(4, 'good'), at(6, 'bad')])
      expect(() => bench.task.process(100)).toThrow(
        expect.objectContaining({ code: 'STREAMS_PROCESSING', node: 'check', topic: 'in', partition: 0, offset: 1 })
      )
    }
  })

  it('leaves no trace of a skipped record: not in topics, not in stores, not in the time of operators', async () => {
    // Were 'bad' to move the operator's time to 104, the record at 8 would be late.
    const bench = await TaskBench.open(guarded, { processing: skip() })
    bench.feed('in', [at(4, 'good'), at(104, 'bad'), at(8, 'good'), at(9, 'bad')])
    expect(bench.task.process(100)).toBe(4)
    await bench.commit()
    expect(bench.output().map(({ topic, value }) => [topic, value])).toEqual([
      ['counts', '1'],
      ['copies', 'good'],
      ['counts', '2'],
      ['copies', 'good']
    ])
    const counts = bench.stores.committed('counts')
    expect([counts.get('k', 0), counts.get('k', 100)]).toEqual([{ value: 2, timestamp: 8 }, undefined])
    expect(bench.skipped.map(({ cause }) => cause)).toEqual([new RangeError('refused'), new RangeError('refused')])
    expect(bench.task.consumedOffsets()).toMatchObject([{ offset: 4 }])
  })

  it('leaves no trace of it at the commit either, where the updates are emitted', async () => {
    const topology = defineTopology('emitting', (builder) => {
      const input = builder.stream('in', text)
      input.groupByKey().count({ store: 'counts' }).toStream().mapValues(String, { value: string() }).to('out')
      input.peek(refuseBad)
    })
    const bench = await TaskBench.open(topology, { processing: skip() })
    bench.feed('in', [{ key: 'never', value: 'bad', timestamp: 1 }, at(2, 'good')])
    bench.task.process(100)
    await bench.commit()
    expect(bench.output().map(({ key, value }) => [key, value])).toEqual([['k', '1']])
  })

  it('goes to the dead-letter topic with its bytes, where it came from, and why', async () => {
    const bench = await TaskBench.open(guarded, { processing: deadLetter('dead') })
    bench.feed('in', [at(4, 'good'), at(6, 'bad')])
    bench.task.process(100)
    await bench.commit()
    const [dead] = bench.output().filter(({ topic }) => topic === 'dead')
    expect(dead).toMatchObject({ key: 'k', value: 'bad', timestamp: 6 })
    expect(dead.headers).toEqual({
      '__streams.errors.exception': 'RangeError: refused',
      '__streams.errors.stacktrace': expect.stringContaining('refuseBad'),
      '__streams.errors.message': expect.stringContaining('check failed on in-0 at offset 1: refused'),
      '__streams.errors.topic': 'in',
      '__streams.errors.partition': '0',
      '__streams.errors.offset': '1',
      '__streams.errors.node': 'check'
    })
  })

  it("is not excused when the error is not a callback's", async () => {
    const bench = await TaskBench.open(guarded, { processing: skip() })
    bench.stores.window('counts').put = () => {
      throw new InvariantError('the disk is gone')
    }
    bench.feed('in', [at(4, 'good')])
    expect(() => bench.task.process(1)).toThrow(InvariantError)
  })
})

describe('bytes that cannot be read', () => {
  const numbers = defineTopology('numbers', (builder) => {
    builder.stream('in', { key: string(), value: json<number>() }).to('out')
  })
  const input = [at(1, '1'), at(2, Buffer.from('{"torn')), at(3, '3')]

  it('fail the task by default, naming where', async () => {
    const bench = await TaskBench.open(numbers)
    bench.feed('in', input)
    expect(() => bench.task.process(100)).toThrow(
      expect.objectContaining({
        code: 'STREAMS_DESERIALIZATION',
        node: 'in-source',
        topic: 'in',
        offset: 1,
        part: 'value'
      })
    )
  })

  it('are skipped and counted', async () => {
    const bench = await TaskBench.open(numbers, { deserialization: skip() })
    bench.feed('in', input)
    expect(bench.task.process(100)).toBe(2)
    await bench.commit()
    expect(bench.output().map(({ value }) => value)).toEqual(['1', '3'])
    expect(bench.task.dropped().map(({ node, counts }) => [node, counts['deserialization-error']])).toEqual([
      ['in-source', 1]
    ])
  })

  it('go to the dead-letter topic as they are', async () => {
    const bench = await TaskBench.open(numbers, { deserialization: deadLetter('dead') })
    bench.feed('in', input)
    bench.task.process(100)
    await bench.commit()
    const [dead] = bench.output().filter(({ topic }) => topic === 'dead')
    expect(dead).toMatchObject({ key: 'k', value: '{"torn', timestamp: 2 })
    expect(dead.headers).toMatchObject({
      '__streams.errors.offset': '1',
      '__streams.errors.exception': expect.stringContaining('SerdeError')
    })
  })
})

describe('a result that fails at the commit', () => {
  const topology = defineTopology('emitting', (builder) => {
    builder
      .stream('in', text)
      .groupByKey()
      .reduce((value, reduced) => reduced + value, { store: 'texts' })
      .toStream()
      .peek(refuseBad, { name: 'check' })
      .to('out')
  })
  const feed = async (policies: ErrorPolicies) => {
    const bench = await TaskBench.open(topology, policies)
    bench.feed('in', [at(1, 'b'), { key: 'other', value: 'good', timestamp: 2 }, at(3, 'ad')])
    bench.task.process(100)
    return bench
  }

  it('fails the commit by default, naming node and key', async () => {
    const bench = await feed({})
    await expect(bench.commit()).rejects.toMatchObject({
      code: 'STREAMS_EMISSION',
      node: 'texts-reduce',
      key: 'k',
      cause: { node: 'check', cause: new RangeError('refused') }
    })
  })

  it('is left out by a policy, and the store keeps the change', async () => {
    const bench = await feed({ processing: skip() })
    await bench.commit()
    expect(bench.output().map(({ key }) => key)).toEqual(['other'])
    expect(bench.stores.committed('texts').get('k')).toEqual({ value: 'bad', timestamp: 3 })
    expect(bench.skipped).toMatchObject([{ code: 'STREAMS_EMISSION' }])
  })

  it('goes to the dead-letter topic as the store has it', async () => {
    const bench = await feed({ processing: deadLetter('dead') })
    await bench.commit()
    const [dead] = bench.output().filter(({ topic }) => topic === 'dead')
    expect(dead).toMatchObject({ key: 'k', value: 'bad', timestamp: 3 })
    expect(Object.keys(dead.headers)).not.toContain('__streams.errors.offset')
    expect(dead.headers['__streams.errors.node']).toBe('texts-reduce')
  })
})
