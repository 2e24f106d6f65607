import type { Clock } from '@millrace/log'
import type { BlobStore, StoredBlob } from './blob-store.ts'

/** Blobs in memory, gone with the process: for tests. */
export class MemoryBlobs implements BlobStore {
  readonly location = 'memory'
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #blobs = new Map<string, { readonly bytes: Buffer; readonly putAtMs: number }>()

  /** @param clock Says when blobs were put; default: always 0, so that every blob is old enough to be swept. */
  constructor(clock: Pick<Clock, 'nowMs'> = { nowMs: () => 0 }) {
    this.#clock = clock
  }

  put(name: string, bytes: Buffer): void {
    this.#blobs.set(name, { bytes, putAtMs: this.#clock.nowMs() })
  }

  get(name: string): Buffer | undefined {
    return this.#blobs.get(name)?.bytes
  }

  async synced(): Promise<void> {}

  *list(): Generator<StoredBlob> {
    for (const [name, { bytes, putAtMs }] of this.#blobs) yield { name, sizeBytes: bytes.length, putAtMs }
  }

  remove(name: string): void {
    this.#blobs.delete(name)
  }
}
