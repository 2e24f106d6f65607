import type { GlobalTableDefinition } from '../graph/join-node.ts'
import type { ProcessorStore } from '../graph/process-context.ts'
import { type RecordOrigin, StreamRecord } from '../graph/record.ts'
import { ProcessingError } from '../processor/errors.ts'
import { keyValueView } from '../processor/processor-store.ts'
import type { KeyValueStore } from '../state/store.ts'
import { DeserializationError } from './errors.ts'
import type { RowChanged } from './global-tables.ts'
import type { RecordView } from './partition-queue.ts'

/** Makes the rows of a global store from its topic's records. */
export interface GlobalUpdater {
  /**
   * Takes one record over.
   * @throws DeserializationError or ProcessingError, also as a rejection; its changes are to be taken back then.
   */
  update(view: RecordView, origin: RecordOrigin): void | Promise<void>
  close(): void
}

/** What a global store's updates work on. */
export interface GlobalUpdaterParts {
  readonly rows: KeyValueStore<unknown, unknown>
  readonly changed: RowChanged | undefined
}

/** Updates of a store whose rows are the records: null deletes, and null keys are left out. */
export function rowUpdater({ store }: GlobalTableDefinition, { rows, changed }: GlobalUpdaterParts): GlobalUpdater {
  return {
    update: (view, origin) => {
      if (view.keyStart < 0) return
      const { key, value } = decode({ ...store, node: store.name }, view, origin)
      const timestamp = Math.max(0, view.timestamp)
      rows.put(key, value, timestamp)
      changed?.({
        store: store.name,
        key: Buffer.from(view.buffer.subarray(view.keyStart, view.keyEnd)),
        value: view.valueStart < 0 ? null : Buffer.from(view.buffer.subarray(view.valueStart, view.valueEnd)),
        timestamp
      })
    },
    close: () => undefined
  }
}

/** Updates by a processor of the program's own. Those who watch the store hear of its changes when it is done with the record. */
export function programUpdater(
  { store, updates }: GlobalTableDefinition & Required<Pick<GlobalTableDefinition, 'updates'>>,
  { rows, changed }: GlobalUpdaterParts
): GlobalUpdater {
  const { name } = store
  let timestampMs = 0
  let noted: Parameters<RowChanged>[0][] = []
  const note = (key: unknown, value: unknown, timestamp: number): void => {
    if (changed === undefined) return
    const bytes = value === null ? null : Buffer.from(store.value.encode(value))
    noted.push({ store: name, key: Buffer.from(store.key.encode(key)), value: bytes, timestamp })
  }
  const processor = updates.make(
    noting(
      keyValueView(rows, () => timestampMs),
      () => timestampMs,
      note
    )
  )
  const done = (): void => {
    for (const change of noted) changed?.(change)
  }
  return {
    update: (view, origin) => {
      const { key, value } = decode({ ...updates, node: name }, view, origin)
      timestampMs = Math.max(0, view.timestamp)
      noted = []
      const fail = (cause: unknown): never => {
        throw new ProcessingError(name, origin, cause)
      }
      let waits: void | Promise<void>
      try {
        waits = processor.process(new StreamRecord(key, value, timestampMs, view.headers(), origin))
      } catch (cause) {
        return fail(cause)
      }
      return waits instanceof Promise ? waits.then(done, fail) : done()
    },
    close: () => processor.close?.()
  }
}

/** The store, whose changes are noted. */
function noting(
  store: ProcessorStore,
  now: () => number,
  note: (key: unknown, value: unknown, timestamp: number) => void
): ProcessorStore {
  return {
    ...store,
    put: (key, value, timestampMs = now()) => {
      store.put(key, value, timestampMs)
      note(key, value ?? null, timestampMs)
    },
    delete: (key) => {
      store.delete(key)
      note(key, null, now())
    }
  }
}

function decode(
  { node, key: keys, value: values }: Pick<GlobalTableDefinition['store'], 'key' | 'value'> & { readonly node: string },
  view: RecordView,
  origin: RecordOrigin
): { readonly key: unknown; readonly value: unknown } {
  let part: 'key' | 'value' = 'key'
  try {
    const key = view.keyStart < 0 ? null : keys.decode(view.buffer, view.keyStart, view.keyEnd)
    part = 'value'
    const value = view.valueStart < 0 ? null : values.decode(view.buffer, view.valueStart, view.valueEnd)
    return { key, value }
  } catch (cause) {
    throw new DeserializationError({ node, origin, part }, cause)
  }
}
