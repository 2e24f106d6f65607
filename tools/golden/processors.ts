import { type KStream, long, type StreamsBuilder, string } from '@millrace/streams'
import type { GoldenNode } from './case.ts'
import { predicate, UnknownFunctionError } from './functions.ts'

type Text = string | null
type Stream = KStream<Text, Text>

const TEXT = { key: string(), value: string() }

/** The branches of a split, by the ids of the case; the default last. */
export function splitStream(
  { branches = [], default: fallback }: GoldenNode,
  stream: Stream
): ReadonlyMap<string, Stream> {
  const predicates = branches.map(({ id, fn }) => {
    const keep = predicate(fn)
    return [id, (value: Text, { key }: { readonly key: Text }) => keep({ key, value })] as const
  })
  const parts: Readonly<Record<string, Stream>> = stream.split(
    Object.fromEntries(predicates),
    fallback === undefined ? {} : { default: fallback }
  )
  return new Map(Object.entries(parts))
}

/** The processor of that name, with a store of its own. */
export function processStream(
  node: GoldenNode,
  { builder, stream }: { builder: StreamsBuilder; stream: Stream }
): Stream {
  const process = processors[node.fn ?? '']
  if (process === undefined) throw new UnknownFunctionError(`no processor is called ${node.fn}`)
  return process(node, builder, stream)
}

type MakeProcessor = (node: GoldenNode, builder: StreamsBuilder, stream: Stream) => Stream

const processors: Readonly<Record<string, MakeProcessor>> = {
  runningCount: ({ id = '' }, builder, stream) => {
    const counts = builder.store(`${id}-counts`, { key: string(), value: long() })
    return stream.process<Text, Text, readonly [typeof counts]>(
      ({ key }, context) => {
        if (key === null) return
        const store = context.store(counts.name)
        const count = (store.get(key) ?? 0) + 1
        store.put(key, count)
        context.forward(key, String(count))
      },
      { ...TEXT, stores: [counts], name: id }
    )
  },
  deduplicate: ({ id = '' }, builder, stream) => {
    const seen = builder.store(`${id}-seen`, { key: string(), value: string() })
    return stream.process(
      (record, context) => {
        const { key, value } = record
        if (key === null) return
        const store = context.store(seen.name)
        if ((store.get(key) ?? null) === value) return
        if (value === null) store.delete(key)
        else store.put(key, value)
        context.forward(record)
      },
      { stores: [seen], name: id }
    )
  },
  countsEachStreamTime: punctuated('stream-time'),
  countsEachWallClock: punctuated('wall-clock')
}

function punctuated(clock: 'stream-time' | 'wall-clock'): MakeProcessor {
  return ({ id = '', everyMs = 0 }, builder, stream) => {
    const counts = builder.store(`${id}-counts`, { key: string(), value: long() })
    return stream.process<Text, Text, readonly [typeof counts]>(
      {
        make: (context) => {
          const store = context.store(counts.name)
          context.schedule(everyMs, clock, async (timestampMs) => {
            for await (const [key, count] of store.all()) context.forward(key, String(count), timestampMs)
          })
          return {
            process: ({ key }) => {
              if (key !== null) store.put(key, (store.get(key) ?? 0) + 1)
            }
          }
        }
      },
      { ...TEXT, stores: [counts], name: id }
    )
  }
}
