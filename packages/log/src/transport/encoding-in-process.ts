import type { RequestSession } from '../broker/handler.ts'
import { InvariantError } from '../errors.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from '../wire/frame.ts'
import type { ServingBroker } from './in-process.ts'

/** Bytes of the size before a frame. */
const SIZE_BYTES = 4

/**
 * A broker that is spoken to in process, but in bytes: every request and every response is encoded and decoded on its way, in the version it is
 * sent in. What works through it passes nothing that the wire could not carry.
 */
export function encodingInProcess(broker: ServingBroker): ServingBroker {
  let correlationId = 0
  return {
    async serve<A extends Api>(api: A, request: RequestOf<A>, session: RequestSession): Promise<ResponseOf<A>> {
      const { apiVersion, clientId } = session
      const header = { apiVersion, clientId, correlationId: correlationId++ & 0x7fff_ffff }
      const decoded = decodeRequest(withoutSize(encodeRequest(api, header, request)))
      if (decoded.api.key !== api.key) throw new InvariantError(`${api.name} was decoded as ${decoded.api.name}`)
      const response = await broker.serve(decoded.api, decoded.request, session)
      return decodeResponse(api, header, withoutSize(encodeResponse(decoded.api, header, response)))
    },
    serves: (api) => broker.serves(api),
    features: () => broker.features()
  }
}

function withoutSize(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks).subarray(SIZE_BYTES)
}
