import { describe, expect, it } from 'vitest'
import type { Api, RequestOf, ResponseOf } from './api.ts'
import { DecodeError, withDefaults } from './codec.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse, UnsupportedApiError } from './frame.ts'
import {
  apiVersions,
  createTopics,
  endTxn,
  fetch,
  findCoordinator,
  heartbeat,
  initProducerId,
  metadata,
  produce
} from './messages/index.ts'

/** `5:hello` and the like written out as hex. */
function text(value: string): string {
  return Buffer.from(value).toString('hex')
}

function request<A extends Api>(api: A, apiVersion: number, body: RequestOf<A>): string {
  const frame = Buffer.concat(encodeRequest(api, { apiVersion, correlationId: 7, clientId: 'me' }, body))
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  expect(decodeRequest(frame.subarray(4))).toEqual({
    api,
    header: { apiKey: api.key, apiVersion, correlationId: 7, clientId: 'me' },
    request: body
  })
  return frame.subarray(4).toString('hex')
}

function response<A extends Api>(api: A, apiVersion: number, body: ResponseOf<A>): string {
  const frame = Buffer.concat(encodeResponse(api, { apiVersion, correlationId: 7 }, body))
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  expect(decodeResponse(api, { apiVersion, correlationId: 7 }, frame.subarray(4))).toEqual(body)
  return frame.subarray(4).toString('hex')
}

/** Correlation id 7 and client id `me`. */
const REST = `00000007${'0002'}${text('me')}`

describe('requests, written out by the grammar of the protocol', () => {
  it('Heartbeat v0 and v4', () => {
    const body = withDefaults(heartbeat.request, { groupId: 'g', generationId: 3, memberId: 'm' })
    expect(request(heartbeat, 0, body)).toBe(`000c0000${REST}${'0001'}${text('g')}${'00000003'}${'0001'}${text('m')}`)
    // flexible header: no tags; then compact strings, a null instance id, no tags
    expect(request(heartbeat, 4, body)).toBe(
      `000c0004${REST}00${'02'}${text('g')}${'00000003'}${'02'}${text('m')}${'00'}00`
    )
  })

  it('ApiVersions v3', () => {
    const body = { clientSoftwareName: 'abc', clientSoftwareVersion: '1' }
    expect(request(apiVersions, 3, body)).toBe(`00120003${REST}00${'04'}${text('abc')}${'02'}${text('1')}00`)
  })

  it('Metadata v1 of all topics, and v12 of one by id', () => {
    expect(request(metadata, 1, withDefaults(metadata.request, { topics: null }))).toBe(`00030001${REST}ffffffff`)
    const topicId = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex').toString('base64url')
    const body = withDefaults(metadata.request, { topics: [{ topicId, name: null }], allowAutoTopicCreation: false })
    expect(request(metadata, 12, body)).toBe(
      `0003000c${REST}00${'02'}000102030405060708090a0b0c0d0e0f${'00'}00${'00'}${'00'}00`
    )
  })

  it('InitProducerId v4', () => {
    const body = { transactionalId: null, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }
    expect(request(initProducerId, 4, body)).toBe(`00160004${REST}00${'00'}0000ea60${'f'.repeat(16)}ffff00`)
  })

  it('Produce v3 and v9', () => {
    const partitionData = [{ index: 2, records: [Buffer.from('ab'), Buffer.from('c')] }]
    const body = withDefaults(produce.request, { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] })
    const frame = (version: number) =>
      Buffer.concat(encodeRequest(produce, { apiVersion: version, correlationId: 7, clientId: 'me' }, body)).toString(
        'hex',
        4
      )
    expect(frame(3)).toBe(
      `00000003${REST}ffffffff000003e8${'00000001'}0001${text('t')}${'00000001'}00000002${'00000003'}${text('abc')}`
    )
    expect(frame(9)).toBe(
      `00000009${REST}00${'00'}ffff000003e8${'02'}02${text('t')}${'02'}00000002${'04'}${text('abc')}00${'00'}00`
    )
  })

  it('CreateTopics v5', () => {
    const topics = [{ name: 't', numPartitions: 4, replicationFactor: 1, configs: [{ name: 'k', value: null }] }]
    const body = withDefaults(createTopics.request, { topics })
    expect(request(createTopics, 5, body)).toBe(
      `00130005${REST}00${'02'}02${text('t')}00000004${'0001'}${'01'}${'02'}02${text('k')}${'00'}00${'00'}0000ea60${'00'}00`
    )
  })

  it('Fetch v12 with its cluster id as a tagged field', () => {
    const body = withDefaults(fetch.request, { clusterId: 'c', maxWaitMs: 1, minBytes: 2, maxBytes: 3, rackId: '' })
    expect(request(fetch, 12, body)).toBe(
      `0001000c${REST}00${'ffffffff'}00000001${'00000002'}00000003${'00'}00000000${'ffffffff'}01${'01'}01${'01'}00${'02'}02${text('c')}`
    )
  })
})

describe('responses, written out by the grammar of the protocol', () => {
  it('ApiVersions has the plain header in every version', () => {
    const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]
    const body = withDefaults(apiVersions.response, { errorCode: 35, apiKeys })
    expect(response(apiVersions, 0, body)).toBe(`00000007${'0023'}00000001${'001200000004'}`)
    const finalizedFeatures = [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }]
    const newer = withDefaults(apiVersions.response, { apiKeys, finalizedFeaturesEpoch: 1, finalizedFeatures })
    expect(response(apiVersions, 3, newer)).toBe(
      `00000007${'0000'}02${'00120000000400'}${'00000000'}02${'01'}080000000000000001${'02'}1a${'02'}14${text('transaction.version')}${'00020002'}00`
    )
  })

  it('FindCoordinator v4', () => {
    const coordinators = [{ key: 'g', nodeId: 1, host: 'h', port: 9092, errorCode: 0, errorMessage: null }]
    const body = withDefaults(findCoordinator.response, { coordinators, errorMessage: '' })
    expect(response(findCoordinator, 4, body)).toBe(
      `00000007${'00'}00000000${'02'}02${text('g')}00000001${'02'}${text('h')}00002384${'0000'}00${'00'}00`
    )
  })

  it('EndTxn v4 and v5', () => {
    const body = withDefaults(endTxn.response, { producerId: 9, producerEpoch: 2 })
    expect(response(endTxn, 5, body)).toBe(`00000007${'00'}00000000${'0000'}0000000000000009${'0002'}00`)
    expect(response(endTxn, 4, withDefaults(endTxn.response, {}))).toBe(`00000007${'00'}00000000${'0000'}00`)
  })

  it('Fetch v4 with an aborted transaction', () => {
    const partition = {
      partitionIndex: 1,
      highWatermark: 10,
      lastStableOffset: 8,
      abortedTransactions: [{ producerId: 5, firstOffset: 6 }],
      records: null
    }
    const body = withDefaults(fetch.response, { responses: [{ topic: 't', partitions: [partition] }] })
    expect(response(fetch, 4, body)).toBe(
      `00000007${'00000000'}00000001${'0001'}${text('t')}00000001${'00000001'}0000${'000000000000000a'}${'0000000000000008'}` +
        `00000001${'0000000000000005'}${'0000000000000006'}ffffffff`
    )
  })
})

describe('frames', () => {
  it('of an unknown API or version tell what was asked', () => {
    const frame = Buffer.from('00120063000000090000', 'hex')
    expect(() => decodeRequest(frame)).toThrow(UnsupportedApiError)
    expect(caught(() => decodeRequest(frame))).toMatchObject({ apiKey: 18, apiVersion: 99, correlationId: 9 })
    expect(() => decodeRequest(Buffer.from('7fff0000000000090000', 'hex'))).toThrow(UnsupportedApiError)
    expect(() => decodeRequest(Buffer.from('0000', 'hex'))).toThrow(DecodeError)
  })

  it('do not copy large batches', () => {
    const records = [Buffer.alloc(100_000), Buffer.alloc(50_000)]
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
    const chunks = encodeRequest(
      produce,
      { apiVersion: 9, correlationId: 1, clientId: null },
      withDefaults(produce.request, { topicData })
    )
    for (const batch of records) expect(chunks).toContain(batch)
    const { request: decoded } = decodeRequest(Buffer.concat(chunks).subarray(4))
    expect(decoded).toMatchObject({ topicData: [{ partitionData: [{ records: [Buffer.concat(records)] }] }] })
  })

  it('that answer another request are refused', () => {
    const [, body] = encodeResponse(heartbeat, { apiVersion: 0, correlationId: 5 }, { throttleTimeMs: 0, errorCode: 0 })
    expect(() => decodeResponse(heartbeat, { apiVersion: 0, correlationId: 6 }, body)).toThrow(/answers request 5/)
  })
})

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
