import { concatMap, delay, map, of, Subject, scan, takeUntil } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { chainPerValue, lastingChain } from '../dsl/piped-chain.ts'
import { LateEmissionError } from '../graph/late-emission-error.ts'
import { StreamRecord } from '../graph/record.ts'
import { ProcessingError } from './errors.ts'
import { pipeProcessor } from './pipe.ts'

const record = (value: unknown): StreamRecord =>
  new StreamRecord('k', value, 7, [], { topic: 'in', partition: 0, offset: 0 })

describe('pipe()', () => {
  it('forwards what the chain emits, with key and timestamp of the record', () => {
    const out: StreamRecord[] = []
    const connect = chainPerValue(
      'node',
      concatMap((value) => of(value, value))
    )
    const { process } = pipeProcessor('node', connect, (result) => out.push(result))
    process(record('a'))
    process(record('b'))
    expect(out.map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
      ['k', 'a', 7],
      ['k', 'a', 7],
      ['k', 'b', 7],
      ['k', 'b', 7]
    ])
  })

  it('goes on with a new chain after an error in it', () => {
    const out: unknown[] = []
    const chain = lastingChain('node', (input) =>
      input.pipe(
        map((value) => {
          if (value === 'bad') throw new RangeError('bad value')
          return value
        }),
        scan((all, value) => `${all}${value}`, '')
      )
    )
    const { process } = pipeProcessor('node', chain, ({ value }) => out.push(value))
    process(record('a'))
    expect(() => process(record('bad'))).toThrow(ProcessingError)
    process(record('b'))
    expect(out).toEqual(['a', 'b'])
  })

  it('an error downstream does not end the chain', () => {
    const seen: unknown[] = []
    const chain = lastingChain('node', (input) => input.pipe(scan((all, value) => `${all}${value}`, '')))
    const { process } = pipeProcessor('node', chain, ({ value }) => {
      seen.push(value)
      if (value === 'a') throw new ProcessingError('down', record(value).origin, 'refused')
    })
    expect(() => process(record('a'))).toThrow(ProcessingError)
    process(record('b'))
    expect(seen).toEqual(['a', 'ab'])
  })

  it('refuses an emission after the call, at the next record and at the commit, whatever the policy', () => {
    const later = new Subject<unknown>()
    const chain = lastingChain('node', () => later)
    const { process, flush, close } = pipeProcessor('node', chain, () => {})
    process(record('a'))
    later.next('late')
    expect(() => process(record('b'))).toThrow(LateEmissionError)
    expect(flush).toThrow(LateEmissionError)
    close?.()
    expect(later.observed).toBe(false)
  })

  it('refuses a chain that needs time', () => {
    const { process } = pipeProcessor('node', chainPerValue('node', delay(1)), () => {})
    expect(() => process(record('a'))).toThrow(LateEmissionError)
  })

  it('refuses a chain that ends by itself', () => {
    const end = new Subject<void>()
    const { process } = pipeProcessor('node', lastingChain('node', takeUntil(end)), () => {})
    process(record('a'))
    end.next()
    expect(() => process(record('b'))).toThrow(expect.objectContaining({ name: 'PipeEndedError' }))
  })
})
