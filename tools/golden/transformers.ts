import { type KTable, nullable, type StreamsBuilder, string, type ValueTransformer } from '@millrace/streams'
import type { GoldenNode } from './case.ts'
import { printed, UnknownFunctionError } from './functions.ts'

type Text = string | null

/** What a transformer's call knows: the key as cases print it, and its store. */
interface Call {
  readonly key: string
  readonly value: Text
  readonly store: {
    get(key: string): string | undefined
    put(key: string, value: string): void
    delete(key: string): void
  }
}

const transformers: Readonly<Record<string, (call: Call) => Text>> = {
  calls: ({ key, value, store }) => `${printed(value)}#${increment(store, key)}`,
  previous: ({ key, value, store }) => {
    const before = store.get(key) ?? null
    if (value === null) store.delete(key)
    else store.put(key, value)
    return value === null ? null : `${printed(before)}>${value}`
  },
  presence: ({ value }) => (value === null ? 'none' : `${value}!`),
  ticks: ({ value, store }) => `${printed(value)}@${printed(store.get('ticks') ?? null)}`
}

/** The transformer of that name over a table, with a store of its own. */
export function transformTable<K>(
  node: GoldenNode,
  from: {
    readonly builder: StreamsBuilder
    readonly table: KTable<K, Text>
    readonly keyText: (key: K) => string
    readonly kept: { readonly store?: string; readonly emit?: 'changes' | 'commit'; readonly history?: number }
  }
): KTable<K, Text> {
  const { id = '', fn = '', everyMs = 0 } = node
  const transform = transformers[fn]
  if (transform === undefined) throw new UnknownFunctionError(`no transformer is called ${fn}`)
  const state = from.builder.store(`${id}-state`, { key: string(), value: string() })
  return from.table.transformValues(
    {
      make: (context): ValueTransformer<K, Text, Text> => {
        const store = context.store(state.name)
        if (everyMs > 0) context.schedule(everyMs, 'stream-time', () => void increment(store, 'ticks'))
        return { transform: (value, { key }) => transform({ key: from.keyText(key), value, store }) }
      }
    },
    { stores: [state], value: nullable(string()), ...from.kept }
  )
}

function increment(store: Call['store'], key: string): string {
  const count = String(Number(store.get(key) ?? 0) + 1)
  store.put(key, count)
  return count
}
