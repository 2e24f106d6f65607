import { MillraceError } from '../errors.ts'
import type { Api, RequestOf, ResponseOf } from './api.ts'
import { DecodeError } from './codec/errors.ts'
import { ByteReader } from './codec/reader.ts'
import { structCodec } from './codec/struct.ts'
import { ByteWriter } from './codec/writer.ts'
import { readStruct } from './codec.ts'
import { apis, apiVersions } from './messages/index.ts'
import { type Infer, int16, int32, type Struct, string, struct } from './schema.ts'

const requestHeaderSchema = struct({
  apiKey: int16('0+'),
  apiVersion: int16('0+'),
  correlationId: int32('0+')
})
// Of 16 bits' length in flexible versions too, so it is a struct of its own.
const clientSchema = struct({ clientId: string('0+', { nullable: '0+' }) })
const responseHeaderSchema = struct({ correlationId: int32('0+') })
const noFields = struct({})
const PLAIN = { version: 0, flexible: false } as const

/** What precedes a request's body. */
export interface RequestHeader extends Infer<typeof requestHeaderSchema> {
  readonly clientId: string | null
}

/** A decoded request of any API. */
export interface DecodedRequest {
  readonly api: Api
  readonly header: RequestHeader
  readonly request: RequestOf<Api>
}

/** A request of an API, or a version of it, that we do not speak. ApiVersions is answered all the same, others close the connection. */
export class UnsupportedApiError extends MillraceError {
  readonly code = 'MILLRACE_UNSUPPORTED_API'
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number

  constructor(header: { readonly apiKey: number; readonly apiVersion: number; readonly correlationId: number }) {
    super(
      `version ${header.apiVersion} of API ${header.apiKey} is not supported: ask with ApiVersions for those that are`
    )
    this.apiKey = header.apiKey
    this.apiVersion = header.apiVersion
    this.correlationId = header.correlationId
  }
}

/** Whether a version of an API has compact types and tagged fields. */
export function isFlexible(api: Api, version: number): boolean {
  return version >= api.flexibleFrom
}

/**
 * A framed request: size, header, body. Large buffers in it are carried by reference.
 * @throws EncodeError when a value is not of its declared type or range.
 */
export function encodeRequest<A extends Api>(
  api: A,
  header: { readonly apiVersion: number; readonly correlationId: number; readonly clientId: string | null },
  request: RequestOf<A>
): Buffer[] {
  const { apiVersion, correlationId, clientId } = header
  const flexible = isFlexible(api, apiVersion)
  const writer = new ByteWriter()
  structCodec(requestHeaderSchema, PLAIN).write(writer, { apiKey: api.key, apiVersion, correlationId })
  structCodec(clientSchema, PLAIN).write(writer, { clientId })
  if (flexible) writer.uvarint(0)
  structCodec(api.request, { version: apiVersion, flexible }).write(writer, request)
  return framed(writer)
}

/**
 * Decodes a request without its size prefix.
 * @throws UnsupportedApiError for an API or version that we do not serve.
 * @throws DecodeError when the bytes are no such request.
 */
export function decodeRequest(frame: Buffer): DecodedRequest {
  const reader = new ByteReader(frame)
  const start = readStruct(requestHeaderSchema, PLAIN, reader)
  const api = apisByKey.get(start.apiKey)
  if (api === undefined || start.apiVersion < api.minVersion || start.apiVersion > api.maxVersion) {
    throw new UnsupportedApiError(start)
  }
  const { clientId } = readStruct(clientSchema, PLAIN, reader)
  const flexible = isFlexible(api, start.apiVersion)
  if (flexible) skipTags(reader)
  const request = readStruct(api.request, { version: start.apiVersion, flexible }, reader)
  return { api, header: { ...start, clientId }, request }
}

/**
 * A framed response: size, header, body. Large buffers in it are carried by reference.
 * @throws EncodeError when a value is not of its declared type or range.
 */
export function encodeResponse<A extends Api>(
  api: A,
  header: { readonly apiVersion: number; readonly correlationId: number },
  response: ResponseOf<A>
): Buffer[] {
  const flexible = isFlexible(api, header.apiVersion)
  const writer = new ByteWriter()
  structCodec(responseHeaderSchema, PLAIN).write(writer, { correlationId: header.correlationId })
  if (hasTaggedHeader(api, flexible)) writer.uvarint(0)
  structCodec(api.response, { version: header.apiVersion, flexible }).write(writer, response)
  return framed(writer)
}

/**
 * Decodes a response without its size prefix.
 * @throws DecodeError when the bytes are no such response, or answer another request than `correlationId`.
 */
export function decodeResponse<A extends Api>(
  api: A,
  expected: { readonly apiVersion: number; readonly correlationId: number },
  frame: Buffer
): ResponseOf<A> {
  const reader = new ByteReader(frame)
  const flexible = isFlexible(api, expected.apiVersion)
  const { correlationId } = readStruct(responseHeaderSchema, PLAIN, reader)
  if (correlationId !== expected.correlationId) {
    const reason = `the response answers request ${correlationId}, expected is ${expected.correlationId}`
    throw new DecodeError({ reason, path: 'correlationId', position: 0 })
  }
  if (hasTaggedHeader(api, flexible)) skipTags(reader)
  const body: Struct = api.response
  return readStruct(body, { version: expected.apiVersion, flexible }, reader) as ResponseOf<A>
}

const apisByKey: ReadonlyMap<number, Api> = new Map(apis.map((api) => [api.key, api]))

/** A client reads the response of ApiVersions before it knows what the broker speaks, so its header never changes. */
function hasTaggedHeader(api: Api, flexible: boolean): boolean {
  return flexible && api.key !== apiVersions.key
}

function skipTags(reader: ByteReader): void {
  readStruct(noFields, { version: 0, flexible: true }, reader)
}

function framed(writer: ByteWriter): Buffer[] {
  const size = Buffer.allocUnsafe(4)
  size.writeInt32BE(writer.sizeBytes)
  return [size, ...writer.finish()]
}
