/** Work of the current record or punctuation that is not done when its call returns. The task takes nothing else up before it is. */
export class Waits {
  #pending: readonly Promise<void>[] = []

  /** Called by nodes, synchronously or while another of these is pending. */
  readonly add = (pending: Promise<void>): void => {
    // Its error is met when all are waited for; until then it is not unhandled.
    pending.catch(() => undefined)
    this.#pending = [...this.#pending, pending]
  }

  get any(): boolean {
    return this.#pending.length > 0
  }

  /**
   * Resolves when nothing is pending, also of what was added meanwhile.
   * @throws the first error, after all are settled.
   */
  async settled(): Promise<void> {
    let failed: PromiseRejectedResult | undefined
    while (this.#pending.length > 0) {
      const pending = this.#pending
      this.#pending = []
      const results = await Promise.allSettled(pending)
      failed ??= results.find((result) => result.status === 'rejected')
    }
    if (failed) throw failed.reason
  }
}
