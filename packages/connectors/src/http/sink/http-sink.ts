import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '@millrace/streams'
import { fetchHttp } from '../../http-port/fetch-http.ts'
import type { HttpAnswer, HttpPort } from '../../http-port/http-port.ts'
import type { IdempotentSink, SinkRecord } from '../../sink.ts'
import type { HttpHeaders } from '../headers.ts'
import { RequestRunner, type SinkRequests } from './request-runner.ts'
import { type HttpAddressing, type HttpSinkRequest, makeRequest, targetOf } from './sink-request.ts'
import type { HttpVerdict } from './verdict.ts'

/** Where records go, and how. */
export interface HttpSinkOptions extends HttpAddressing {
  /** Stable name. */
  readonly name: string
  /** Makes the requests instead of `url`, `mode`, `method` and `body`: the same for the same records. */
  readonly request?: (records: readonly SinkRecord[]) => HttpSinkRequest
  /** Most bytes of values in a request of several records; default 1 MiB. */
  readonly batchBytes?: number
  /** What keeps its order: the records of a partition (default), or only those of a key, so that more requests are under way at once. */
  readonly order?: 'partition' | 'key'
  /** Most requests under way at once; default 8. */
  readonly concurrency?: number
  /** Sent with each request: credentials. */
  readonly headers?: HttpHeaders
  /** Longest time until an answer is there; default 30 s. What comes of a request that took longer is not known, and it is sent again. */
  readonly timeout?: Duration
  /** What an answer means, where the status alone does not say; undefined: as its status says. */
  readonly verdict?: (answer: HttpAnswer, records: readonly SinkRecord[]) => HttpVerdict | undefined
  /** Default: Node's fetch. */
  readonly http?: HttpPort
}

const DEFAULTS = { batchBytes: 1 << 20, concurrency: 8, timeout: '30s' } as const

/**
 * Sends records to an HTTP server, each exactly once in effect if the server does nothing for a request that it has seen: by the header
 * `Idempotency-Key`, `<topic>-<partition>-<offset>` (of several records `<topic>-<partition>-<first>-<last>`), or because requests say what is to be, as PUT and
 * DELETE by key do.
 *
 * A request whose outcome is not known is sent again as it was, with the same records and key, until it is answered. Requests of several records
 * may be divided otherwise after the process was restarted: there the records must say what they are (`jsonRecordsBody`).
 *
 * 408, 425, 429, 5xx and no answer are tried again, not before `Retry-After`; 3xx, 401, 403 and 407 stop the sink (`HttpSinkSetupError`); any other status
 * is the record's fault. A request of several is then divided until the record is found, so the server must take all of a request or nothing.
 *
 * @throws UsageError for options that do not go together.
 */
export function httpSink(options: HttpSinkOptions): IdempotentSink {
  const { name, batchRecords = 1, concurrency = DEFAULTS.concurrency } = options
  checkOptions(options)
  const requests: SinkRequests = {
    name,
    http: options.http ?? fetchHttp(),
    headers: options.headers,
    timeoutMs: durationMs('timeout', options.timeout ?? DEFAULTS.timeout, { leastMs: 1 }),
    concurrency,
    limits: {
      batchRecords,
      batchBytes: options.batchBytes ?? DEFAULTS.batchBytes,
      keyLanes: options.order === 'key' ? concurrency : undefined,
      target: options.request === undefined ? (record) => targetOf(record, options).url : () => ''
    },
    request: options.request ?? ((records) => makeRequest(records, options)),
    ...(options.verdict !== undefined && { verdict: options.verdict })
  }
  let runner: RequestRunner | undefined
  return {
    name,
    delivery: 'idempotent',
    async open(_partitions, context) {
      runner = new RequestRunner(requests, context)
    },
    async write(batch) {
      if (runner === undefined) throw new UsageError(`sink ${name} is not open`)
      await runner.write(batch)
    },
    async close() {
      runner = undefined
    }
  }
}

function checkOptions(options: HttpSinkOptions): void {
  const { name, url, request, mode, batchRecords = 1, concurrency = 1 } = options
  const refuse = (problem: string) => {
    throw new UsageError(`sink ${name}: ${problem}`)
  }
  if ((url === undefined) === (request === undefined)) refuse('give either `url` or `request`')
  if (typeof url === 'string' && !URL.canParse(url)) refuse(`'${url}' is no URL`)
  if (!Number.isInteger(batchRecords) || batchRecords < 1) refuse(`batchRecords is ${batchRecords}, not 1 or more`)
  if (!Number.isInteger(concurrency) || concurrency < 1) refuse(`concurrency is ${concurrency}, not 1 or more`)
  if (mode !== 'upsert') return
  if (request !== undefined) refuse("`request` says what is sent: mode 'upsert' goes with `url`")
  if (batchRecords > 1) refuse("mode 'upsert' sends each record to an address of its own: leave batchRecords at 1")
  if (typeof url === 'string' && !url.includes('{key}')) {
    refuse(`mode 'upsert' needs an address for each key: write '${url.replace(/\/?$/, '/{key}')}'`)
  }
}
