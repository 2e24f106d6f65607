// How connectors reach the network
export { fetchHttp, fetchStream } from '../http-port/fetch-http.ts'
export type { HttpAnswer, HttpPort, HttpRequest, HttpStream, HttpStreamPort } from '../http-port/http-port.ts'
export {
  HttpAnswerError,
  HttpRequestError,
  HttpSinkHeadersError,
  HttpSinkSetupError,
  HttpStatusError,
  type RefusedAnswer
} from './errors.ts'
export type { HttpHeaders } from './headers.ts'
// Sending records
export { type HttpBody, jsonArrayBody, jsonRecordsBody, ndjsonBody, rawBody } from './sink/http-body.ts'
export { type HttpSinkOptions, httpSink } from './sink/http-sink.ts'
export type { HttpAddressing, HttpSinkRequest } from './sink/sink-request.ts'
export type { HttpVerdict } from './sink/verdict.ts'
// Server-sent events
export type { ServerSentEvent } from './source/event-stream.ts'
export type { HttpPage } from './source/exchange.ts'
// Polling
export {
  type HttpPosition,
  type HttpSourceOptions,
  httpSource,
  type PolledPage,
  type PollRequest
} from './source/http-source.ts'
export { type SsePosition, type SseSourceOptions, sseSource } from './source/sse-source.ts'
