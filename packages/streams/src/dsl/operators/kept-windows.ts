import { formatDuration } from '../../graph/duration.ts'
import type { WindowDefinition } from '../../graph/node.ts'
import type { OpenStore } from '../../graph/step.ts'
import type { Serde } from '../../serde/serde.ts'
import { sessionWindowed, windowed } from '../../serde/windowed.ts'

/** How the results of windows are kept. Times in milliseconds. */
export interface KeptWindows {
  readonly store: Omit<OpenStore, 'name' | 'key' | 'value' | 'retentionMs'>
  /** The default: no record that is in time misses a window for it. */
  readonly retentionMs: number
  /** What Kafka Streams keeps by itself. For sliding windows and sessions it is a moment too short for the latest records. */
  readonly leastRetentionMs: number
}

/** Index entries of one key: enough for the windows that a record may touch, and not too many of them where they are kept for long. */
const bucketsPerRetention = 16

/** The store of a kind of windows. */
export function keptWindows(window: WindowDefinition): KeptWindows {
  switch (window.kind) {
    case 'time': {
      const retentionMs = window.sizeMs + window.graceMs
      return { store: { kind: 'window', windowSizeMs: window.sizeMs }, retentionMs, leastRetentionMs: retentionMs }
    }
    case 'sliding': {
      const { differenceMs, graceMs } = window
      return {
        store: { kind: 'window', windowSizeMs: differenceMs, indexBucketMs: 2 * differenceMs + graceMs + 1 },
        retentionMs: 3 * differenceMs + graceMs + 1,
        leastRetentionMs: 2 * differenceMs + graceMs
      }
    }
    case 'session': {
      const leastRetentionMs = window.gapMs + window.graceMs
      const retentionMs = leastRetentionMs + 1
      return { store: { kind: 'session', indexBucketMs: retentionMs }, retentionMs, leastRetentionMs }
    }
    case 'unlimited':
      return { store: { kind: 'window' }, retentionMs: Number.MAX_SAFE_INTEGER, leastRetentionMs: 0 }
  }
}

/** How much time an index entry covers. */
export function indexBucket(leastMs: number | undefined, retentionMs: number): { readonly indexBucketMs?: number } {
  if (leastMs === undefined) return {}
  return { indexBucketMs: Math.max(leastMs, Math.ceil(retentionMs / bucketsPerRetention)) }
}

/** Keys of the results. */
export function windowedSerde(window: WindowDefinition, key: Serde<unknown> | undefined): Serde<unknown> | undefined {
  if (key === undefined) return undefined
  switch (window.kind) {
    case 'time':
      return windowed(key, window.sizeMs)
    case 'sliding':
      return windowed(key, window.differenceMs)
    case 'session':
      return sessionWindowed(key)
    case 'unlimited':
      return windowed(key)
  }
}

/** How long after its end a window takes records; undefined: it has no end. */
export function closeDelayMs(window: WindowDefinition): number | undefined {
  if (window.kind === 'unlimited') return undefined
  return window.kind === 'session' ? window.graceMs + window.gapMs : window.graceMs
}

/** What stands for the windows in names: what the store is. Grace is not part of it. */
export function windowVerb(window: WindowDefinition): string {
  switch (window.kind) {
    case 'time': {
      const { sizeMs, advanceMs } = window
      if (sizeMs === advanceMs) return `tumbling-${formatDuration(sizeMs)}`
      return `hopping-${formatDuration(sizeMs)}-${formatDuration(advanceMs)}`
    }
    case 'sliding':
      return `sliding-${formatDuration(window.differenceMs)}`
    case 'session':
      return `session-${formatDuration(window.gapMs)}`
    case 'unlimited':
      return 'unlimited'
  }
}
