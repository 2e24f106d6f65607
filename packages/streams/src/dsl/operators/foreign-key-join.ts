import { derivedMark } from '../../graph/make-store.ts'
import { pathBelow, repartitionName } from '../../graph/names.ts'
import type { Step } from '../../graph/step.ts'
import { MissingSerdeError } from '../../graph/topology-error.ts'
import { Answer, answerSerde, subscriptionSerde } from '../../serde/foreign-key.ts'
import type { Serde } from '../../serde/serde.ts'
import { subscriptionEntries, subscriptionKeys } from '../../serde/subscription-store.ts'
import type { JoinCallback, KeyPartitionCallback, PartitionCallback, TableCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { requireFunction } from '../mistakes.ts'
import { addTable, type KeptTable } from './table.ts'
import { joinVerbs, refuseOthers } from './table-join.ts'

/** What a foreign-key join is told. */
export interface ForeignKeyJoinStep extends KeptTable {
  readonly name?: string
  readonly left?: Serde<unknown>
  readonly right?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly staleAnswers?: 'repeated' | 'dropped'
  readonly partitioners?: { readonly left?: KeyPartitionCallback; readonly right?: KeyPartitionCallback }
}

/** What the program's functions make of the two tables. */
interface ForeignKeyJoined {
  readonly join: 'inner' | 'left'
  readonly fn: JoinCallback
  readonly foreignKey: TableCallback<unknown>
}

/** What the steps of one join share. */
interface JoinUnderWay extends ForeignKeyJoined {
  readonly left: Point
  readonly right: Point
  readonly options: ForeignKeyJoinStep
  readonly verb: string
  /** What the internal topics and the store of subscriptions are named after. */
  readonly base: string
  readonly serdes: ReturnType<typeof serdesOf>
}

/**
 * A table with another, whose key is in its values. Over two internal topics: rows of the left table subscribe where the right row is, and are
 * answered where they are. Both are named after the two tables, or by `name`.
 */
export function foreignKeyJoin(
  [left, right]: readonly [Point, Point],
  made: ForeignKeyJoined,
  options: ForeignKeyJoinStep
): Point {
  refuseOthers(left, right)
  const verb = made.join === 'inner' ? 'foreignKeyJoin' : 'foreignKeyLeftJoin'
  requireFunction(`topology '${left.draft.topology}': ${verb}`, made.foreignKey)
  const base = options.name ?? `${pathBelow(left.step)}-${pathBelow(right.step)}-${verb}`
  const joined = { ...made, left, right, options, verb, base, serdes: serdesOf([left, right], options, base) }
  const subscriptions = subscribe(joined)
  const step = result(joined, { subscriptions, answers: answer(joined, subscriptions) })
  return addTable({ draft: left.draft, step, key: left.key, value: options.value }, joinVerbs[made.join], options)
}

/** Where the left rows are: each tells the right row that it wants it. @returns the topic of subscriptions, by foreign key. */
function subscribe(joined: JoinUnderWay): Step {
  const { left, join, foreignKey, serdes, verb } = joined
  const subscribing = left.draft.add({
    verb: `${verb}-subscribe`,
    label: undefined,
    parents: [left.step],
    body: { kind: 'foreign-key-subscribe', join, foreignKey, foreign: serdes.foreign, left: serdes.left }
  })
  return left.draft.add({
    verb: 'subscription',
    label: joined.base,
    parents: [subscribing],
    body: {
      ...internalTopic(joined),
      key: serdes.foreign,
      value: subscriptionSerde(serdes.primary),
      ...subscriptionPartitioner(joined)
    }
  })
}

/** Where the right rows are: subscriptions are kept, and answered now and when the row changes. @returns the topic of answers, by primary key. */
function answer(joined: JoinUnderWay, subscriptions: Step): Step {
  const { left, right, options, base, serdes } = joined
  const store = {
    kind: 'key-value',
    name: undefined,
    key: subscriptionKeys,
    value: subscriptionEntries,
    ...derivedMark(options.name)
  } as const
  const answering = left.draft.add({
    verb: 'subscriptions',
    label: undefined,
    parents: [subscriptions, right.step],
    keyed: { name: base, key: undefined, value: undefined },
    body: { kind: 'foreign-key-answer', foreign: serdes.foreign, primary: serdes.primary, store }
  })
  return left.draft.add({
    verb: 'answer',
    label: base,
    parents: [answering],
    body: {
      ...internalTopic(joined),
      key: serdes.primary,
      value: answerSerde(serdes.right),
      partitioner: answerPartitioner(options.partitioners?.left)
    }
  })
}

/** Where the left rows are again: answers meet the rows that asked. */
function result(
  { left, join, fn, foreignKey, options, base, serdes }: JoinUnderWay,
  { subscriptions, answers }: { readonly subscriptions: Step; readonly answers: Step }
): Step {
  const again = {
    topic: repartitionName(subscriptions),
    foreignKey,
    foreign: serdes.foreign,
    subscription: subscriptionSerde(serdes.primary),
    ...subscriptionPartitioner({ options })
  }
  return left.draft.add({
    verb: 'result',
    label: undefined,
    parents: [answers, left.step],
    keyed: { name: base, key: undefined, value: undefined },
    body: {
      kind: 'foreign-key-result',
      join,
      fn,
      left: serdes.left,
      ...(options.staleAnswers !== 'dropped' && { again })
    }
  })
}

/** Where questions go: to where the other table has the row. */
function subscriptionPartitioner({ options: { partitioners } }: Pick<JoinUnderWay, 'options'>): {
  readonly partitioner?: PartitionCallback
} {
  const right = partitioners?.right
  if (right === undefined) return {}
  // A null foreign key is answered wherever it is asked.
  return { partitioner: (key, _value, partitions) => (key === null || key === undefined ? 0 : right(key, partitions)) }
}

/** Where answers go: back to where the row is that asked. */
function answerPartitioner(left: KeyPartitionCallback | undefined): PartitionCallback {
  if (left !== undefined) return (key, _value, partitions) => left(key, partitions)
  return (_key, value) => (value instanceof Answer ? value.partition : 0)
}

/** A topic of the join's own, whose records follow its inputs' partitions. */
function internalTopic({ options }: JoinUnderWay) {
  return {
    kind: 'repartition',
    explicit: true,
    keepsNullKeys: true,
    follows: true,
    ...derivedMark(options.name)
  } as const
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
