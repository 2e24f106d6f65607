/** Open or closed; those who watch it are told of each change. */
export class Gate {
  #open = true
  readonly #watchers = new Set<() => void>()

  get open(): boolean {
    return this.#open
  }

  set(open: boolean): void {
    if (this.#open === open) return
    this.#open = open
    for (const watcher of [...this.#watchers]) watcher()
  }

  /** @returns what ends the watching. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }
}
