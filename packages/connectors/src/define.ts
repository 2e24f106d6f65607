import { UsageError } from '@millrace/log'
import type { IdempotentSink, Sink, SinkContext, SinkPartition, SinkRecord } from './sink.ts'
import { sleep } from './sleep.ts'
import type { Positions, Source, SourceBatch, SourceContext, SourceReader, SourceRecord } from './source.ts'

/** Key or value of a record in the short form: bytes as they are, text as UTF-8, anything else as JSON. */
export type EasyBytes =
  | Buffer
  | string
  | number
  | boolean
  | null
  | readonly unknown[]
  | { readonly [field: string]: unknown }

/** A record in the short form. */
export interface EasyRecord extends Omit<SourceRecord, 'key' | 'value'> {
  /** Default null. */
  readonly key?: EasyBytes
  readonly value: EasyBytes
}

/** What a generator yields: records, and the position from which reading goes on after them. */
export interface EasyBatch<Position> {
  readonly records: readonly EasyRecord[]
  readonly position: Position
}

/** What a generator is given. */
export interface GeneratorContext<Position> extends SourceContext {
  /** The last committed position; undefined at the first start ever. */
  readonly position: Position | undefined
  /** Resolves after so many milliseconds, or when the source is to stop. */
  sleep(delayMs: number): Promise<void>
}

/** An async generator that reads from `position` on. It ends when the source has nothing more, ever. */
export type SourceGenerator<Position> = (context: GeneratorContext<Position>) => AsyncIterable<EasyBatch<Position>>

/**
 * Defines a source: the whole contract, or a name and an async generator for one that has a single position.
 *
 * ```ts
 * const ticks = defineSource<number>('ticks', async function* ({ position = 0, signal, sleep }) {
 *   for (let n = position; !signal.aborted; n++) {
 *     yield { records: [{ topic: 'ticks', key: `${n % 3}`, value: { n } }], position: n + 1 }
 *     await sleep(1000)
 *   }
 * })
 * ```
 */
export function defineSource<Position>(source: Source<Position>): Source<Position>
export function defineSource<Position>(name: string, read: SourceGenerator<Position>): Source<Position>
export function defineSource<Position>(
  first: Source<Position> | string,
  read?: SourceGenerator<Position>
): Source<Position> {
  if (typeof first !== 'string') return first
  if (read === undefined) throw new UsageError(`defineSource('${first}') needs the function that reads`)
  return {
    name: first,
    open: async (positions, context) => new GeneratorReader(read, positions, context)
  }
}

/** What a sink is made of in the short form. */
export interface EasySink {
  readonly name: string
  open?(partitions: readonly SinkPartition[], context: SinkContext): Promise<void> | void
  /** May be called again with the same records, and must leave the same. */
  write(batch: readonly SinkRecord[], context: SinkContext): Promise<void> | void
  close?(): Promise<void> | void
}

/**
 * Defines a sink: the whole contract, or a name and a function that takes batches and makes repeats harmless.
 *
 * ```ts
 * const pages = defineSink('pages', async (batch) => {
 *   for (const { key, value } of batch) value === null ? cache.delete(String(key)) : cache.set(String(key), value)
 * })
 * ```
 */
export function defineSink(sink: Sink): Sink
export function defineSink(sink: EasySink): IdempotentSink
export function defineSink(name: string, write: EasySink['write']): IdempotentSink
export function defineSink(first: Sink | EasySink | string, write?: EasySink['write']): Sink {
  if (typeof first !== 'string') return 'delivery' in first ? first : easySink(first)
  if (write === undefined) throw new UsageError(`defineSink('${first}') needs the function that writes`)
  return easySink({ name: first, write })
}

function easySink(sink: EasySink): IdempotentSink {
  let opened: SinkContext | undefined
  return {
    name: sink.name,
    delivery: 'idempotent',
    async open(partitions, context) {
      opened = context
      await sink.open?.(partitions, context)
    },
    async write(batch) {
      if (opened === undefined) throw new UsageError(`sink ${sink.name} was written to before it was opened`)
      await sink.write(batch, opened)
    },
    async close() {
      await sink.close?.()
    }
  }
}

/** The split of a source that has but one. */
const ONLY_SPLIT = ''

class GeneratorReader<Position> implements SourceReader<Position> {
  readonly #context: SourceContext
  readonly #iterator: AsyncIterator<EasyBatch<Position>>
  /** Asked for and not yet handed over: a read that was called off leaves it to the next. */
  #pending: Promise<IteratorResult<EasyBatch<Position>>> | undefined

  constructor(read: SourceGenerator<Position>, positions: Positions<Position>, context: SourceContext) {
    this.#context = context
    const { signal, environment } = context
    const sleepHere = (delayMs: number) => sleep(environment, delayMs, signal)
    const generator = read({ ...context, position: positions.get(ONLY_SPLIT), sleep: sleepHere })
    this.#iterator = generator[Symbol.asyncIterator]()
  }

  async read(): Promise<SourceBatch<Position> | undefined> {
    this.#pending ??= this.#iterator.next()
    const result = await untilAborted(this.#pending, this.#context.signal)
    if (result === undefined) return { records: [], positions: new Map() }
    this.#pending = undefined
    if (result.done === true) return undefined
    const { records, position } = result.value
    return { records: records.map(toRecord), positions: new Map([[ONLY_SPLIT, position]]) }
  }

  async committed(): Promise<void> {}

  async close(): Promise<void> {
    // A generator that waits for something else than the signal cannot be ended; nobody waits for it either.
    this.#pending?.catch(() => undefined)
    const ended = this.#iterator.return?.()
    ended?.catch(() => undefined)
    if (this.#pending === undefined) await ended
  }
}

/** The promise's value; undefined when the signal was aborted before. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const called = () => resolve(undefined)
    signal.addEventListener('abort', called)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', called))
  })
}

/** A record in the short form as the log takes it. @throws UsageError for a key or value that is none. */
export function toRecord({ key = null, value, ...rest }: EasyRecord): SourceRecord {
  return { ...rest, key: toBytes(key, rest.topic, 'key'), value: toBytes(value, rest.topic, 'value') }
}

function toBytes(given: EasyBytes, topic: string, part: 'key' | 'value'): Buffer | null {
  if (given === null || Buffer.isBuffer(given)) return given
  const text = typeof given === 'string' ? given : jsonOf(given)
  if (text !== undefined) return Buffer.from(text)
  throw new UsageError(
    `a record for ${topic} has ${typeof given} as its ${part}: give bytes, text, what JSON can hold, or null`
  )
}

/** Undefined of what JSON cannot hold. */
function jsonOf(given: EasyBytes): string | undefined {
  try {
    return JSON.stringify(given)
  } catch {
    return undefined
  }
}
