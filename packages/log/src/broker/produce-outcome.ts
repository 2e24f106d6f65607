import type { AppendedBatch } from '../partition/partition.ts'
import type { ResponseOf } from '../wire/api.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { produce } from '../wire/messages/index.ts'
import { failureOf } from './failure.ts'
import type { BrokerContext } from './handler.ts'

type PartitionResponse = ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]

const noLeader = { leaderId: -1, leaderEpoch: -1 }

/**
 * What became of one partition's batch. The first failure stands. A failure that no code stands for is a defect of ours: it is reported, and
 * the client hears KAFKA_STORAGE_ERROR, since after UNKNOWN_SERVER_ERROR it may break its idempotence (KAFKA-14034).
 */
export class ProduceOutcome {
  readonly index: number
  #appended: (AppendedBatch & { readonly logStartOffset: number }) | undefined
  #error: { readonly code: number; readonly message: string } | undefined
  #committed = false

  constructor(index: number) {
    this.index = index
  }

  /** Last offset of the batch; -1 while it is not in the log. */
  get lastOffset(): number {
    return this.#appended?.lastOffset ?? -1
  }

  get isSettled(): boolean {
    return this.#committed || this.#error !== undefined
  }

  /** Runs a step unless an earlier one failed. */
  attempt(context: BrokerContext, step: () => void): void {
    if (this.#error !== undefined) return
    try {
      step()
    } catch (error) {
      this.failed(context, error)
    }
  }

  appended(batch: AppendedBatch & { readonly logStartOffset: number }): void {
    this.#appended = batch
  }

  committed(): void {
    this.#committed = true
  }

  failed(context: BrokerContext, error: unknown): void {
    if (this.#error !== undefined) return
    const failure = failureOf(error)
    if (failure === undefined) context.report({ kind: 'request-failed', api: 'Produce', error })
    this.#error = {
      code: failure?.errorCode ?? ErrorCode.KAFKA_STORAGE_ERROR,
      message: failure?.errorMessage ?? 'the broker failed: see its events'
    }
  }

  response(): PartitionResponse {
    const error = this.#error
    const appended = error === undefined ? this.#appended : undefined
    return {
      index: this.index,
      errorCode: error?.code ?? ErrorCode.NONE,
      baseOffset: appended?.baseOffset ?? -1,
      logAppendTimeMs: appended?.logAppendTimeMs ?? -1,
      logStartOffset: appended?.logStartOffset ?? -1,
      recordErrors: [],
      errorMessage: error?.message ?? null,
      currentLeader: noLeader
    }
  }
}
