import type { StreamRecord } from '../graph/record.ts'
import type { KeyIdentity } from '../state/store-entry.ts'
import type { AsyncOutcome, RunningCall } from './async-call.ts'
import type { AsyncHost, AsyncSteps, FailureRoute } from './async-host.ts'
import type { CallOrder } from './call-order.ts'
import type { StageParticipant } from './task-context.ts'

/** A record that an asynchronous step has taken. */
export interface TakenRecord {
  readonly record: StreamRecord
  readonly key: KeyIdentity | undefined
  /** What becomes of the record if its work fails. */
  readonly failed: FailureRoute
  call: RunningCall | undefined
  outcome: AsyncOutcome | undefined
}

/** What a window does with its records. */
export interface WindowWork {
  readonly concurrency: number
  readonly order: CallOrder<TakenRecord>
  /** What tells the keys of records apart whose order matters. */
  keyOf(record: StreamRecord): KeyIdentity | undefined
  begin(record: StreamRecord, ended: (outcome: AsyncOutcome) => void): RunningCall
  /** The result goes through what is below, or the error is thrown. */
  finish(record: StreamRecord, outcome: AsyncOutcome): void
}

/**
 * The records of one asynchronous step that are under way: taken, at work, or done and waiting for their turn. Calls end at any time; their results are
 * only noted then, and go on when the task says so, between two records or during the commit.
 */
export class AsyncWindow implements AsyncSteps, StageParticipant {
  readonly #work: WindowWork
  readonly #host: AsyncHost
  /** Taken by what runs now, and given back if that is undone. */
  #staged: TakenRecord[] = []
  #marked = 0
  readonly #underway = new Set<TakenRecord>()
  #begun = 0
  #closed = false

  constructor(work: WindowWork, host: AsyncHost) {
    this.#work = work
    this.#host = host
  }

  take(record: StreamRecord): void {
    const key = this.#work.keyOf(record)
    this.#staged.push({ record, key, failed: this.#host.failureOf(record), call: undefined, outcome: undefined })
  }

  get inFlight(): number {
    return this.#underway.size + this.#staged.length
  }

  get atWork(): number {
    let atWork = 0
    for (const { call } of this.#underway) if (call?.atWork) atWork++
    return atWork
  }

  get full(): boolean {
    return this.inFlight >= this.#work.concurrency
  }

  get ready(): boolean {
    return this.#work.order.next !== undefined
  }

  admit(): void {
    if (this.#staged.length === 0) return
    const admitted = this.#staged
    this.#staged = []
    this.#marked = 0
    for (const taken of admitted) {
      this.#underway.add(taken)
      this.#work.order.admit(taken)
    }
    this.#beginCalls()
  }

  emit(): void | Promise<void> {
    const { order, finish } = this.#work
    for (let taken = order.next; taken !== undefined; taken = order.next) {
      const { record, failed, outcome } = taken
      if (outcome === undefined) return
      const running = this.#host.run(() => finish(record, outcome), failed)
      this.#underway.delete(taken)
      order.gone()
      if (running) {
        return running.then(() => {
          this.#beginCalls()
          return this.emit()
        })
      }
      this.#beginCalls()
    }
  }

  async drain(): Promise<void> {
    for (;;) {
      const changed = this.#host.changed()
      await this.emit()
      if (this.inFlight === 0) return
      if (!this.ready) await changed
    }
  }

  close(): void {
    this.#closed = true
    for (const { call } of this.#underway) call?.abort()
    this.#underway.clear()
    this.#staged = []
  }

  mark(): void {
    this.#marked = this.#staged.length
  }

  rollback(): void {
    this.#staged.length = this.#marked
  }

  #beginCalls(): void {
    const { order, concurrency, begin } = this.#work
    while (!this.#closed && this.#begun < concurrency) {
      const taken = order.begin()
      if (taken === undefined) return
      this.#begun++
      taken.call = begin(taken.record, (outcome) => {
        this.#begun--
        taken.outcome = outcome
        order.ended(taken)
        this.#beginCalls()
        this.#host.ended()
      })
    }
  }
}
