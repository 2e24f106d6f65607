import { closeSync, fdatasync, fstatSync, ftruncateSync, readSync, writeSync, writevSync } from 'node:fs'
import type { FileHandle } from './environment.ts'
import { fileSystemError, systemCodeOf } from './file-system-failure.ts'

/** An open file of the operating system. */
export class RealFileHandle implements FileHandle {
  readonly path: string
  readonly #descriptor: number
  #syncsInFlight = 0
  #closed = false

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  size(): number {
    return this.#attempt('measure', (descriptor) => fstatSync(descriptor).size)
  }

  read(target: Uint8Array, position: number): number {
    return this.#attempt('read', (descriptor) => {
      let done = 0
      while (done < target.length) {
        const count = readSync(descriptor, target, done, target.length - done, position + done)
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    this.#attempt('write', (descriptor) => {
      const only = chunks[0]
      if (chunks.length === 1 && only !== undefined) return writeWhole(descriptor, only, position)
      const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      const written = writevSync(descriptor, [...chunks], position)
      if (written < total) writeWhole(descriptor, Buffer.concat(chunks).subarray(written), position + written)
    })
  }

  truncate(sizeBytes: number): void {
    this.#attempt('truncate', (descriptor) => ftruncateSync(descriptor, sizeBytes))
  }

  datasync(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closedError('sync'))
    this.#syncsInFlight++
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => {
        this.#syncsInFlight--
        if (this.#closed) this.#closeWhenIdle()
        if (error === null) resolve()
        else reject(fileSystemError({ systemCode: systemCodeOf(error), path: this.path, operation: 'sync' }, error))
      })
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#closeWhenIdle()
  }

  /** The thread pool may still be syncing: closing its descriptor under it could sync another file that got the same number. */
  #closeWhenIdle(): void {
    if (this.#syncsInFlight === 0) closeSync(this.#descriptor)
  }

  #attempt<T>(operation: string, run: (descriptor: number) => T): T {
    if (this.#closed) throw this.#closedError(operation)
    try {
      return run(this.#descriptor)
    } catch (error) {
      throw fileSystemError({ systemCode: systemCodeOf(error), path: this.path, operation }, error)
    }
  }

  #closedError(operation: string): Error {
    return fileSystemError({ systemCode: 'EBADF', path: this.path, operation })
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done)
}
