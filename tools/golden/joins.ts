import type { KTable } from '@millrace/streams'
import type { GoldenNode } from './case.ts'
import {
  givenStore,
  nameOf,
  type Result,
  resultFrom,
  type Scope,
  type Stream,
  streamOf,
  TEXT_VALUE,
  type Text,
  tableOf,
  UnsupportedOperatorError,
  windowsOf
} from './case-results.ts'
import { keyFunction, printed } from './functions.ts'

/** Joins what a node reads on its left with what it reads on its right. */
export function join(node: GoldenNode, scope: Scope): Result {
  const left = resultFrom({ op: node.op, from: node.left ?? '' }, scope)
  const right = resultFrom({ op: node.op, from: node.right ?? '' }, scope)
  if (left.kind === 'table' && right.kind === 'table' && node.foreignKeyFn === undefined) {
    return tableOf(joinedTables(node, { left: left.table, right: right.table, scope }))
  }
  if (left.kind === 'windowed-table' && right.kind === 'windowed-table' && node.foreignKeyFn === undefined) {
    return windowsOf(joinedTables(node, { left: left.table, right: right.table, scope }))
  }
  if (left.kind === 'table' && right.kind === 'table') {
    const options = {
      ...TEXT_VALUE,
      ...nameOf(node),
      ...givenStore(node, scope),
      foreignKey: keyFunction(node.foreignKeyFn),
      staleAnswers: scope.staleAnswers
    } as const
    if (node.op === 'join') return tableOf(left.table.join(right.table, joiner, options))
    if (node.op === 'leftJoin') return tableOf(left.table.leftJoin(right.table, joiner, options))
  }
  if (left.kind === 'stream') return streamOf(joinedStream(node, left.stream, right))
  throw new UnsupportedOperatorError(`${node.op} of a ${left.kind} and a ${right.kind}`)
}

/** As in Kafka Streams, all joins of a stream go through the same internal topic, if they need one: it is named after the stream. */
function joinedStream(node: GoldenNode, left: Stream, right: Result): Stream {
  const { op } = node
  if (right.kind === 'stream' && node.within !== undefined) {
    const { beforeMs: before, afterMs: after, graceMs: grace } = node.within
    const repartition = { left: streamTopic(node.left), right: streamTopic(node.right) }
    const options = { within: { before, after }, grace, repartition, ...TEXT_VALUE, ...nameOf(node) }
    if (op === 'join') return left.join(right.stream, joiner, options)
    return op === 'leftJoin'
      ? left.leftJoin(right.stream, joiner, options)
      : left.outerJoin(right.stream, joiner, options)
  }
  if (right.kind === 'table' && op !== 'outerJoin') {
    const grace = node.graceMs === undefined ? {} : { grace: node.graceMs }
    const options = { ...TEXT_VALUE, ...nameOf(node), ...grace, repartition: streamTopic(node.left) }
    return op === 'join' ? left.join(right.table, joiner, options) : left.leftJoin(right.table, joiner, options)
  }
  if (right.kind === 'global' && op !== 'outerJoin') {
    const options = { ...TEXT_VALUE, key: keyFunction(node.keyFn) }
    return op === 'join' ? left.join(right.global, joiner, options) : left.leftJoin(right.global, joiner, options)
  }
  throw new UnsupportedOperatorError(`${op} of a stream and a ${right.kind}`)
}

function joinedTables<K>(
  node: GoldenNode,
  { left, right, scope }: { readonly left: KTable<K, Text>; readonly right: KTable<K, Text>; readonly scope: Scope }
): KTable<K, Text> {
  const options = { ...TEXT_VALUE, ...givenStore(node, scope) }
  if (node.op === 'join') return left.join(right, joiner, options)
  return node.op === 'leftJoin' ? left.leftJoin(right, joiner, options) : left.outerJoin(right, joiner, options)
}

function streamTopic(id = ''): string {
  return `${id}-joined`
}

const joiner = (left: Text, right: Text): Text => `${printed(left)}+${printed(right)}`
