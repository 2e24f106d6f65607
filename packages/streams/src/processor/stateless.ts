import { UsageError } from '@millrace/log'
import type { StatelessOperator } from '../graph/node.ts'
import { ProcessingError } from './errors.ts'
import { pipeProcessor } from './pipe.ts'
import type { Forward, Processor } from './processor.ts'

/**
 * Compiles a stateless node. Each operator catches what its own callback throws and nothing of what happens downstream, so that an error
 * names the node it came from.
 */
export function statelessProcessor(node: string, operator: StatelessOperator, forward: Forward): Processor {
  switch (operator.kind) {
    case 'filter':
      return { process: filter(node, operator, forward) }
    case 'map':
      return { process: map(node, operator.fn, forward) }
    case 'mapValues':
      return { process: mapValues(node, operator.fn, forward) }
    case 'flatMap':
      return { process: flatMap(node, operator.fn, forward) }
    case 'flatMapValues':
      return { process: flatMapValues(node, operator.fn, forward) }
    case 'selectKey':
      return { process: selectKey(node, operator.fn, forward) }
    case 'peek':
      return { process: peek(node, operator.fn, forward) }
    case 'pipe':
      return pipeProcessor(node, operator.connect, forward)
  }
}

type Operator<Kind extends StatelessOperator['kind']> = Extract<StatelessOperator, { kind: Kind }>
type Callback<Kind extends 'map' | 'mapValues' | 'flatMap' | 'flatMapValues' | 'selectKey' | 'peek'> =
  Operator<Kind>['fn']

function filter(node: string, { fn, not }: Operator<'filter'>, forward: Forward): Forward {
  return (record) => {
    let passes: boolean
    try {
      passes = Boolean(fn(record.value, record)) !== not
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    if (passes) forward(record)
  }
}

function map(node: string, fn: Callback<'map'>, forward: Forward): Forward {
  return (record) => {
    let pair: readonly [unknown, unknown]
    try {
      pair = checkedPair('map', fn(record.value, record))
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    forward(record.with(pair[0], pair[1], record.timestamp))
  }
}

/** A key and a value, which types require and a program without them may forget. @throws UsageError */
function checkedPair(verb: string, pair: readonly [unknown, unknown]): readonly [unknown, unknown] {
  if (Array.isArray(pair) && pair.length === 2) return pair
  const given = Array.isArray(pair)
    ? `${pair.length} values`
    : pair === null
      ? 'null'
      : `a value of type ${typeof pair}`
  throw new UsageError(`the function of ${verb} gives [key, value], and gave ${given}`)
}

function mapValues(node: string, fn: Callback<'mapValues'>, forward: Forward): Forward {
  return (record) => {
    let value: unknown
    try {
      value = fn(record.value, record)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    forward(record.withValue(value))
  }
}

/** All of the callback's pairs are taken before the first goes on: what is lazy in it runs, and fails, here. */
function flatMap(node: string, fn: Callback<'flatMap'>, forward: Forward): Forward {
  return (record) => {
    let pairs: (readonly [unknown, unknown])[]
    try {
      pairs = [...fn(record.value, record)]
      for (const pair of pairs) checkedPair('flatMap', pair)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    for (const [key, value] of pairs) forward(record.with(key, value, record.timestamp))
  }
}

/** As `flatMap`. */
function flatMapValues(node: string, fn: Callback<'flatMapValues'>, forward: Forward): Forward {
  return (record) => {
    let values: unknown[]
    try {
      values = [...fn(record.value, record)]
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    for (const value of values) forward(record.withValue(value))
  }
}

function selectKey(node: string, fn: Callback<'selectKey'>, forward: Forward): Forward {
  return (record) => {
    let key: unknown
    try {
      key = fn(record.value, record)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    forward(record.withKey(key))
  }
}

function peek(node: string, fn: Callback<'peek'>, forward: Forward): Forward {
  return (record) => {
    try {
      fn(record.value, record)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
    forward(record)
  }
}
