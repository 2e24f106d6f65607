import { PoisonousRecordError, SinkSetupError, TransientSinkError } from '../../errors.ts'
import type { HttpAnswer, HttpPort, HttpRequest } from '../../http-port/http-port.ts'
import type { SinkContext, SinkRecord } from '../../sink.ts'
import { sleep } from '../../sleep.ts'
import { Deadline } from '../deadline.ts'
import {
  excerptOf,
  HttpRequestError,
  HttpSinkHeadersError,
  HttpSinkSetupError,
  HttpStatusError,
  reasonOf,
  withoutCredentials
} from '../errors.ts'
import { type HttpHeaders, headersToSend, retryAfterMs, unsendable } from '../headers.ts'
import { type IdentifiedRecord, identify, type PlanLimits, planRequests, type RequestGroup } from './request-plan.ts'
import type { HttpSinkRequest } from './sink-request.ts'
import { type HttpVerdict, verdictOf } from './verdict.ts'

/** How a sink's records are sent. */
export interface SinkRequests {
  readonly name: string
  readonly http: HttpPort
  readonly headers: HttpHeaders | undefined
  readonly timeoutMs: number
  readonly concurrency: number
  readonly limits: PlanLimits
  readonly request: (records: readonly SinkRecord[]) => HttpSinkRequest
  readonly verdict?: (answer: HttpAnswer, records: readonly SinkRecord[]) => HttpVerdict | undefined
}

/** So often the answer 409 is taken for an earlier attempt that is still under way. */
const MOST_CONFLICTS = 5

/**
 * One opening of the sink. It remembers what the target has taken of a batch that failed in another place, so that only the rest is sent when the batch,
 * or a part of it, comes again; and which requests were sent without an outcome, so that they come again as they were.
 */
export class RequestRunner {
  readonly #requests: SinkRequests
  readonly #context: SinkContext
  /** Ids of records. */
  readonly #taken = new Set<string>()
  /** Ids of the records of each request without an outcome, under the first. */
  readonly #sent = new Map<string, readonly string[]>()
  /** How often such a request was answered with 409. */
  readonly #conflicts = new Map<string, number>()
  /** The target is not to be asked before, by the monotonic clock. */
  #notBeforeMs = 0

  constructor(requests: SinkRequests, context: SinkContext) {
    this.#requests = requests
    this.#context = context
  }

  /** Resolves when the target has taken all. @throws what of the failures is the most telling, when all requests under way are over. */
  async write(batch: readonly SinkRecord[]): Promise<void> {
    const { environment, signal } = this.#context
    const leftMs = this.#notBeforeMs - environment.clock.monotonicMs()
    if (leftMs > 0) await sleep(environment, leftMs, signal)
    const records = identify(batch)
    const rest = records.filter(({ id }) => !this.#taken.has(id))
    const lanes = planRequests(rest, this.#requests.limits, this.#sent)
    const failures: unknown[] = []
    const next = lanes[Symbol.iterator]()
    const worker = async () => {
      for (const lane of next) await this.#sendLane(lane, failures)
    }
    await Promise.all(Array.from({ length: Math.min(this.#requests.concurrency, lanes.length) }, worker))
    if (failures.length > 0) throw mostTelling(failures)
    for (const { id } of records) this.#taken.delete(id)
  }

  /** One request after the other, until one fails, here or in another lane. */
  async #sendLane(lane: readonly RequestGroup[], failures: unknown[]): Promise<void> {
    for (const group of lane) {
      if (failures.length > 0) return
      try {
        await this.#sendGroup(group)
      } catch (error) {
        failures.push(error)
      }
    }
  }

  async #sendGroup(group: RequestGroup): Promise<void> {
    const refusal = await this.#attempt(group)
    if (refusal === undefined) return
    if (group.length === 1) throw poisonous(group[0].record, refusal)
    const middle = group.length >> 1
    await this.#sendGroup(group.slice(0, middle))
    await this.#sendGroup(group.slice(middle))
  }

  /** Sends one request. @returns why its records can never be taken. */
  async #attempt(group: RequestGroup): Promise<unknown> {
    if (this.#context.signal.aborted) throw new TransientSinkError(`sink ${this.#requests.name} is to stop`)
    const records = group.map(({ record }) => record)
    let made: HttpSinkRequest
    try {
      made = this.#requests.request(records)
    } catch (error) {
      if (error instanceof PoisonousRecordError) throw error
      return error
    }
    const problem = unsendable(made.url, made.headers ?? {})
    if (problem !== undefined) return new HttpRequestError(`sink ${this.#requests.name}`, problem)
    const request = await this.#completed(made, group)
    const [{ id }] = group
    const repeated = this.#sent.has(id)
    const ids = group.map((one) => one.id)
    this.#sent.set(id, ids)
    const answer = await this.#exchange(request)
    return this.#judge({ request, answer, records, ids, repeated: repeated && this.#countConflict(id, answer) })
  }

  async #completed(
    { url, method = 'POST', headers, body }: HttpSinkRequest,
    group: RequestGroup
  ): Promise<HttpRequest> {
    const { name, headers: common, limits } = this.#requests
    const key = { 'idempotency-key': idempotencyKey(group, limits.batchRecords > 1) }
    const given = await headersToSend(common).catch((cause: unknown) => {
      throw new TransientSinkError(`sink ${name}: its \`headers\` failed: ${reasonOf(cause)}`, { cause })
    })
    const problem = unsendable(url, given)
    if (problem !== undefined) throw new HttpSinkHeadersError(name, problem)
    const all = await headersToSend(key, given, headers)
    return { url, method, headers: all, redirect: 'manual', ...(body !== undefined && { body }) }
  }

  /** Sends, and waits for the answer also when the sink is to stop meanwhile: its outcome is then known. */
  async #exchange(request: HttpRequest): Promise<HttpAnswer> {
    const { name, http, timeoutMs } = this.#requests
    const deadline = new Deadline(this.#context.environment)
    deadline.set(timeoutMs)
    try {
      return await http({ ...request, signal: deadline.signal })
    } catch (error) {
      const why = deadline.expired ? `it took longer than ${timeoutMs} ms` : reasonOf(error)
      const asked = `${request.method} ${withoutCredentials(request.url)}`
      throw new TransientSinkError(`sink ${name}: no answer to ${asked}: ${why}. Is the server there?`, {
        cause: error
      })
    } finally {
      deadline.close()
    }
  }

  #judge(sent: SentRequest): unknown {
    const { request, answer, records, ids } = sent
    const { name, verdict } = this.#requests
    const means = verdict?.(answer, records) ?? verdictOf(answer, { method: request.method, repeated: sent.repeated })
    const refused = refusedAnswer(request, answer)
    if (means === 'later') throw this.#passing(refused, answer)
    this.#sent.delete(ids[0])
    this.#conflicts.delete(ids[0])
    if (means === 'taken') {
      for (const id of ids) this.#taken.add(id)
      return undefined
    }
    if (means === 'setup') throw new HttpSinkSetupError(name, refused)
    if (typeof means === 'object') throw new PoisonousRecordError(means.refused, means.reason)
    return new HttpStatusError(refused)
  }

  #passing(refused: ReturnType<typeof refusedAnswer>, { headers }: HttpAnswer): TransientSinkError {
    const { clock } = this.#context.environment
    const waitMs = retryAfterMs(headers, clock)
    if (waitMs !== undefined) this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monotonicMs() + waitMs)
    const cause = new HttpStatusError(refused)
    const until = waitMs === undefined ? '' : `; it asks to be left alone for ${waitMs} ms`
    return new TransientSinkError(`sink ${this.#requests.name}: ${cause.message}${until}`, { cause })
  }

  /** Whether one more conflict may be an earlier attempt under way. */
  #countConflict(id: string, { status }: HttpAnswer): boolean {
    const before = this.#conflicts.get(id) ?? 0
    if (status === 409) this.#conflicts.set(id, before + 1)
    return before < MOST_CONFLICTS
  }
}

interface SentRequest {
  readonly request: HttpRequest
  readonly answer: HttpAnswer
  readonly records: readonly SinkRecord[]
  readonly ids: readonly string[]
  /** An attempt before it may still be under way. */
  readonly repeated: boolean
}

function refusedAnswer({ method, url }: HttpRequest, { status, body, headers }: HttpAnswer) {
  const moved = status >= 300 && status < 400 && headers?.location !== undefined
  return {
    method,
    url: withoutCredentials(url),
    status,
    excerpt: moved ? `Location ${headers.location}` : excerptOf(body)
  }
}

function idempotencyKey(group: readonly IdentifiedRecord[], batched: boolean): string {
  const [first] = group
  const last = group[group.length - 1]
  return batched ? `${first.id}-${last.id.slice(last.id.lastIndexOf('-') + 1)}` : first.id
}

function poisonous(record: SinkRecord, refusal: unknown): PoisonousRecordError {
  return new PoisonousRecordError(record, reasonOf(refusal), { cause: refusal })
}

/** What no repetition mends comes first: then it is dealt with, though another request found the target away. */
function mostTelling(failures: readonly unknown[]): unknown {
  const setup = failures.find((failure) => failure instanceof SinkSetupError)
  return setup ?? failures.find((failure) => !(failure instanceof TransientSinkError)) ?? failures[0]
}
