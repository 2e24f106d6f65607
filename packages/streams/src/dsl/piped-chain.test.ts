import {
  bufferCount,
  concatMap,
  debounceTime,
  delay,
  distinctUntilChanged,
  filter,
  from,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  retry,
  scan,
  startWith,
  take,
  tap
} from 'rxjs'
import { describe, expect, it } from 'vitest'
import { LateEmissionError } from '../graph/late-emission-error.ts'
import type { PipedInput } from '../graph/node.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import type { PipeOptions } from './options.ts'
import { PipeEndedError, StatefulPipeError } from './pipe-error.ts'

/** Opens the chain of a topology's one pipe, as a task does; `emit` refuses what comes outside of a call. */
function open(operator: OperatorFunction<string, unknown>, options?: PipeOptions) {
  const topology = defineTopology('app', (b) => {
    b.stream('in', { key: string(), value: string() }).pipe(operator, options)
  })
  const node = topology.nodes.at(-1)
  if (node?.kind !== 'stateless' || node.operator.kind !== 'pipe') throw new TypeError('expected a pipe')
  const emitted: unknown[] = []
  let inCall = false
  const input: PipedInput = node.operator.connect((value) => {
    if (!inCall) throw new LateEmissionError('in-pipe')
    emitted.push(value)
  })
  return {
    /** What comes out for one value. */
    next(value: string): unknown[] {
      emitted.length = 0
      inCall = true
      try {
        input.next(value)
      } finally {
        inCall = false
      }
      return [...emitted]
    },
    close: () => input.close()
  }
}

const volatile: PipeOptions = { volatile: true }

describe.each([
  ['a chain per value', {}],
  ['a lasting chain', volatile]
])('%s', (_name, options) => {
  it('passes on what operators emit in the call', () => {
    const fan = open(
      mergeMap((v) => of(v, `${v}!`)),
      options
    )
    expect([fan.next('a'), fan.next('b')]).toEqual([
      ['a', 'a!'],
      ['b', 'b!']
    ])
    const some = open(
      filter((v) => v !== 'a'),
      options
    )
    expect([some.next('a'), some.next('b')]).toEqual([[], ['b']])
    const seen: string[] = []
    const through = open(
      tap((v) => seen.push(v)),
      options
    )
    expect([through.next('a'), seen]).toEqual([['a'], ['a']])
  })

  it('throws what the chain throws', () => {
    const failing = open(
      map((v) => v.toUpperCase().repeat(v === 'bad' ? -1 : 1)),
      options
    )
    expect(failing.next('ok')).toEqual(['OK'])
    expect(() => failing.next('bad')).toThrow(RangeError)
  })
})

describe('a chain per value', () => {
  it('has no memory', () => {
    const counting = open(scan((n) => n + 1, 0))
    expect([counting.next('a'), counting.next('b')]).toEqual([[1], [1]])
    const distinct = open(distinctUntilChanged())
    expect([distinct.next('a'), distinct.next('a')]).toEqual([['a'], ['a']])
  })

  it('goes on after an error', () => {
    const failing = open(map((v) => v.repeat(v === 'bad' ? -1 : 1)))
    expect(() => failing.next('bad')).toThrow(RangeError)
    expect(failing.next('ok')).toEqual(['ok'])
  })

  it('may try a value again', () => {
    let failures = 2
    const flaky = open((input) =>
      input.pipe(
        map((v) => (failures-- > 0 ? v.repeat(-1) : v)),
        retry(2)
      )
    )
    expect(flaky.next('a')).toEqual(['a'])
  })

  it.each<[string, OperatorFunction<string, unknown>]>([
    ['bufferCount', bufferCount(2)],
    ['debounceTime', debounceTime(5)],
    ['take', take(1)],
    ['startWith', startWith('x')]
  ])('refuses %s at the first value', (_name, operator) => {
    const refused = open(operator)
    expect(() => refused.next('a')).toThrow(StatefulPipeError)
    expect(() => refused.next('a')).toThrow(/'in-pipe': the chain .* mark it \{ volatile: true \}/)
  })

  it.each<[string, OperatorFunction<string, unknown>]>([
    ['a timer', delay(1)],
    ['a promise', concatMap((v) => from(Promise.resolve(v)))]
  ])('refuses to wait for %s, and does not', (_name, operator) => {
    const refused = open(operator)
    expect(() => refused.next('a')).toThrow(LateEmissionError)
    expect(() => refused.next('b')).toThrow(LateEmissionError)
  })
})

describe('a lasting chain', () => {
  it('remembers from value to value', () => {
    const counting = open(
      scan((n) => n + 1, 0),
      volatile
    )
    expect([counting.next('a'), counting.next('b')]).toEqual([[1], [2]])
    const pairs = open(bufferCount(2), volatile)
    expect([pairs.next('a'), pairs.next('b')]).toEqual([[], [['a', 'b']]])
  })

  it('says so when it ends', () => {
    const first = open(take(1), volatile)
    expect(() => first.next('a')).toThrow(PipeEndedError)
    expect(() => first.next('b')).toThrow(PipeEndedError)
  })

  it('fails at the next value after a late emission', async () => {
    const late = open(
      concatMap((v) => from(Promise.resolve(v))),
      volatile
    )
    expect(late.next('a')).toEqual([])
    await new Promise(setImmediate)
    expect(() => late.next('b')).toThrow(LateEmissionError)
  })

  it('ends with its task', async () => {
    const seen: string[] = []
    const work = (input: Observable<string>) =>
      input.pipe(
        concatMap((v) => from(Promise.resolve(v))),
        tap((v) => seen.push(v))
      )
    const closed = open(work, volatile)
    closed.next('a')
    closed.close()
    const kept = open(work, volatile)
    kept.next('b')
    await new Promise(setImmediate)
    expect(seen).toEqual(['b'])
  })
})
