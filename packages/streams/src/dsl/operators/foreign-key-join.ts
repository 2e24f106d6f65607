import { derivedMark } from '../../graph/make-store.ts'
import { pathBelow, repartitionName } from '../../graph/names.ts'
import { MissingSerdeError } from '../../graph/topology-error.ts'
import { Answer, answerSerde, subscriptionSerde } from '../../serde/foreign-key.ts'
import type { Serde } from '../../serde/serde.ts'
import { subscriptionEntries, subscriptionKeys } from '../../serde/subscription-store.ts'
import type { JoinCallback, TableCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { addTable, type KeptTable } from './table.ts'
import { joinVerbs, refuseOthers } from './table-join.ts'

/** What a foreign-key join is told. */
export interface ForeignKeyJoinStep extends KeptTable {
  readonly name?: string
  readonly left?: Serde<unknown>
  readonly right?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly staleAnswers?: 'repeated' | 'dropped'
}

/**
 * A table with another, whose key is in its values. Over two internal topics: rows of the left table subscribe where the right row is, and are
 * answered where they are. Both are named after the two tables, or by `name`.
 */
export function foreignKeyJoin(
  sides: readonly [Point, Point],
  made: {
    readonly join: 'inner' | 'left'
    readonly fn: JoinCallback
    readonly foreignKey: TableCallback<unknown>
  },
  options: ForeignKeyJoinStep
): Point {
  const [left, right] = sides
  const { join, fn, foreignKey } = made
  refuseOthers(left, right)
  const { draft } = left
  const verb = join === 'inner' ? 'foreignKeyJoin' : 'foreignKeyLeftJoin'
  const base = options.name ?? `${pathBelow(left.step)}-${pathBelow(right.step)}-${verb}`
  const keyed = { name: base, key: undefined, value: undefined }
  const serdes = serdesOf([left, right], options, base)
  const subscription = subscriptionSerde(serdes.primary)
  const subscribe = draft.add({
    verb: `${verb}-subscribe`,
    label: undefined,
    parents: [left.step],
    body: { kind: 'foreign-key-subscribe', join, foreignKey, foreign: serdes.foreign, left: serdes.left }
  })
  const subscriptions = draft.add({
    verb: 'subscription',
    label: base,
    parents: [subscribe],
    body: {
      kind: 'repartition',
      explicit: true,
      keepsNullKeys: true,
      follows: true,
      ...derivedMark(options.name),
      key: serdes.foreign,
      value: subscription
    }
  })
  const store = {
    kind: 'key-value',
    name: undefined,
    key: subscriptionKeys,
    value: subscriptionEntries,
    ...derivedMark(options.name)
  } as const
  const answer = draft.add({
    verb: 'subscriptions',
    label: undefined,
    parents: [subscriptions, right.step],
    keyed,
    body: { kind: 'foreign-key-answer', foreign: serdes.foreign, primary: serdes.primary, store }
  })
  const answers = draft.add({
    verb: 'answer',
    label: base,
    parents: [answer],
    body: {
      kind: 'repartition',
      explicit: true,
      keepsNullKeys: true,
      follows: true,
      ...derivedMark(options.name),
      key: serdes.primary,
      value: answerSerde(serdes.right),
      partitioner: (_key, value) => (value instanceof Answer ? value.partition : 0)
    }
  })
  const step = draft.add({
    verb: 'result',
    label: undefined,
    parents: [answers, left.step],
    keyed,
    body: {
      kind: 'foreign-key-result',
      join,
      fn,
      left: serdes.left,
      ...(options.staleAnswers !== 'dropped' && {
        again: { topic: repartitionName(subscriptions), foreignKey, foreign: serdes.foreign, subscription }
      })
    }
  })
  return addTable({ draft, step, key: left.key, value: options.value }, joinVerbs[join], options)
}

/** All that travels between the tasks. */
function serdesOf([left, right]: readonly [Point, Point], options: ForeignKeyJoinStep, node: string) {
  const given = (serde: Serde<unknown> | undefined, missing: 'key' | 'value'): Serde<unknown> => {
    if (serde === undefined) throw new MissingSerdeError({ topology: left.draft.topology, node, missing })
    return serde
  }
  return {
    foreign: given(right.key, 'key'),
    primary: given(left.key, 'key'),
    left: given(options.left ?? left.value, 'value'),
    right: given(options.right ?? right.value, 'value')
  }
}
