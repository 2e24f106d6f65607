import type { ProcessContext } from '../../graph/process-context.ts'
import type { ProcessNode, RunningProcessor } from '../../graph/process-node.ts'
import type { StreamRecord } from '../../graph/record.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { requireFunction } from '../mistakes.ts'
import { definitionOf, type StoreHandle } from '../store-handle.ts'

/** A program's processor, its types laid down; written as methods for the reason given at `Callback`. */
export type AnyProcessor =
  | { run(record: StreamRecord, context: ProcessContext): void | Promise<void> }['run']
  | { make(context: ProcessContext): RunningProcessor }

/** What both kinds of processors may be given. */
export interface AnyProcessOptions {
  readonly name?: string
  readonly stores?: readonly StoreHandle[]
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly keepsPartition?: boolean
}

/**
 * A processor of the program's own, with stores and punctuation. Nothing is repartitioned before it, even where the key was changed: equal keys
 * meet only if they were together before, or after `repartition()`. Its own keys count as changed, unless it says that they stay in the partition.
 */
export function process(point: Point, processor: AnyProcessor, options: AnyProcessOptions): Point {
  return addProcessor(point, {
    verb: 'process',
    keepsKey: options.keepsPartition === true,
    make: makerOf(requireProcessor(point, 'process', processor)),
    options
  })
}

/** Adds the step. */
export function addProcessor(
  point: Point,
  made: Pick<ProcessNode, 'verb' | 'keepsKey' | 'make'> & { readonly options: AnyProcessOptions }
): Point {
  const { verb, keepsKey, make, options } = made
  const { name, stores, key = point.key, value = point.value } = options
  const step = point.draft.add({
    verb,
    label: name,
    parents: [point.step],
    body: {
      kind: 'process',
      verb,
      keepsKey,
      make,
      ...givenStores(stores)
    }
  })
  return { draft: point.draft, step, key, value }
}

/** The stores that a program's own code is given, by what it may do with them. */
export function givenStores(stores: readonly StoreHandle[] = []): Pick<ProcessNode, 'stores' | 'readOnly' | 'globals'> {
  const { global = [], own = [] } = Object.groupBy(stores, ({ kind }) => (kind === 'global' ? 'global' : 'own'))
  const readOnly = own.flatMap((handle) => (handle.kind === 'read-only' ? [handle.name] : []))
  return {
    stores: own.map(definitionOf),
    ...(readOnly.length > 0 && { readOnly: Object.freeze(readOnly) }),
    globals: global.map((handle) => handle.name)
  }
}

/** A function, or an object that makes processors. @throws UsageError */
export function requireProcessor<P>({ draft }: Point, verb: string, processor: P): P {
  const isMaker = typeof processor === 'object' && processor !== null
  const at = `topology '${draft.topology}': ${verb}`
  if (isMaker) requireFunction(at, Reflect.get(processor, 'make'))
  else requireFunction(at, processor)
  return processor
}

/** A function is a processor that keeps nothing between records. */
function makerOf(processor: AnyProcessor): ProcessNode['make'] {
  if (typeof processor === 'object') return (context) => processor.make(context)
  return (context) => ({ process: (record) => processor(record, context) })
}
