/** Answers that requests wait for, by token. */
export class PendingAnswers<T> {
  readonly #waiting = new Map<number, PromiseWithResolvers<T>>()
  #nextToken = 0

  /** A token, and the promise of the answer that it will get. */
  expect(): { readonly token: number; readonly answer: Promise<T> } {
    this.#nextToken += 1
    const token = this.#nextToken
    const waiting = Promise.withResolvers<T>()
    this.#waiting.set(token, waiting)
    return { token, answer: waiting.promise }
  }

  /** Gives the answer; a token that has its answer already is passed over. */
  resolve(token: number, answer: T): void {
    this.#waiting.get(token)?.resolve(answer)
    this.#waiting.delete(token)
  }

  /** Fails the request. */
  reject(token: number, error: unknown): void {
    this.#waiting.get(token)?.reject(error)
    this.#waiting.delete(token)
  }

  /** Gives the same answer to all that wait. */
  resolveAll(answer: T): void {
    for (const token of [...this.#waiting.keys()]) this.resolve(token, answer)
  }
}
