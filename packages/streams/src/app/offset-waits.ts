interface Wait {
  readonly ends: ReadonlyMap<string, number>
  resolve(): void
  reject(error: unknown): void
}

/** Who waits until partitions have been read to somewhere. Partitions are named `topic-partition`. */
export class OffsetWaits {
  readonly #waits = new Set<Wait>()
  #ended: { readonly error: unknown } | undefined

  /** Whether anybody waits. */
  get any(): boolean {
    return this.#waits.size > 0
  }

  /** Resolves when all that is read is past these ends, where there is one. @throws what `end` was given, before that or already. */
  until(ends: ReadonlyMap<string, number>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) reject(this.#ended.error)
      else this.#waits.add({ ends, resolve, reject })
    })
  }

  /** What is read now, each to before an offset. */
  readTo(offsets: ReadonlyMap<string, number>): void {
    for (const wait of this.#waits) {
      if ([...offsets].some(([partition, offset]) => offset < (wait.ends.get(partition) ?? 0))) continue
      this.#waits.delete(wait)
      wait.resolve()
    }
  }

  /** Nothing more will be read. */
  end(error: unknown): void {
    this.#ended ??= { error }
    for (const { reject } of this.#waits) reject(error)
    this.#waits.clear()
  }
}
