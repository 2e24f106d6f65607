import type { KTable, Serde, StreamsBuilder } from '@millrace/streams'
import { UNAVAILABLE_VALUE } from '../rows/debezium-rows.ts'
import { type ChangeEvent, changedRows, changeEvents } from './change-event.ts'
import { KeylessChangeError } from './errors.ts'

/** Of a materialized view. */
export interface MaterializedViewOptions<K> {
  /** The keys as the source writes them: `rowKey('id')`, or `rowKeys()` for keys of several columns. */
  readonly key: Serde<K>
  /** The store's name, under which the view is queried and watched. Default: the topic's. */
  readonly store?: string
}

/**
 * A table that is kept equal to the one that change data capture reads: every row as the source's last commit left it, through updates, changed keys,
 * deletes, truncates and crashes. Like every table it can be joined, aggregated, queried and watched.
 *
 * A column whose unchanged value the source could not give (Debezium's placeholder) keeps the value that the view has. Messages of the source, and
 * the tombstones behind deletes, change nothing. A change without a key is a {@link KeylessChangeError}, which the application's policy for errors decides on.
 *
 * @typeParam K keys. @typeParam R rows: the columns, as the source writes them.
 * @param builder of the topology. @param topic the changes of one table, in Debezium's envelope.
 *
 * @example
 * const orders = materializedView<number, Order>(b, 'shop.public.orders', { key: rowKey('id'), store: 'orders' })
 */
export function materializedView<K extends NonNullable<unknown>, R extends object>(
  builder: StreamsBuilder,
  topic: string,
  options: MaterializedViewOptions<K>
): KTable<K, R | null> {
  const { key, store = topic } = options
  const value = changedRows<R>()
  const rows = builder.store(store, { key, value })
  return builder
    .stream<K, ChangeEvent<R>>(topic, { key, value: changeEvents<R>() })
    .process<R | null, readonly [typeof rows]>(
      async ({ key: rowKey, value: event, timestamp }, context) => {
        const kept = context.store(store)
        if (event?.op === 't') {
          for await (const [gone] of kept.all()) context.forward(gone, null, timestamp)
          return
        }
        if (!event || (event.op !== 'd' && !event.after)) return
        if (!isKey(rowKey)) throw new KeylessChangeError(topic, event.op)
        context.forward(rowKey, event.op === 'd' || !event.after ? null : completed(event.after, kept.get(rowKey)))
      },
      { stores: [rows], value, keepsPartition: true }
    )
    .toTable({ store: rows })
}

/** Keys of truncates and messages are null, whatever the type of rows' keys is. */
function isKey(key: unknown): boolean {
  return key !== null && key !== undefined
}

/** The row, its unavailable values taken from the row before. */
function completed<R extends object>(row: R, before: R | undefined): R {
  const unavailable = Object.entries(row).filter(([, value]) => value === UNAVAILABLE_VALUE)
  if (unavailable.length === 0 || before === undefined) return row
  const known = Object.fromEntries(
    unavailable.flatMap(([name]) => (name in before ? [[name, Reflect.get(before, name)]] : []))
  )
  return { ...row, ...known }
}
