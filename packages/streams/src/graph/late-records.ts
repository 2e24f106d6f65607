import type { Serde } from '../serde/serde.ts'
import type { StreamRecord } from './record.ts'

/** What becomes of a record that came too late for a window it belongs to: a callback hears of it, or it goes to a topic. */
export type LateRecords =
  | { readonly kind: 'callback'; readonly fn: (value: unknown, record: StreamRecord) => void }
  | {
      readonly kind: 'topic'
      readonly topic: string
      /** One a stream that is aggregated. */
      readonly serdes: readonly { readonly key: Serde<unknown>; readonly value: Serde<unknown> }[]
    }
