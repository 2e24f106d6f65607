import { type Log, openLog } from '@millrace/log'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { fetchHttp } from '../../http-port/fetch-http.ts'
import type { HttpPort } from '../../http-port/http-port.ts'
import { type RegistryClient, registryClient } from '../client/registry-client.ts'
import { type ServedRegistry, serveRegistry } from '../registry/serve-registry.ts'
import { frameHeader } from '../wire-format.ts'
import { avroSerde } from './avro-serde.ts'
import { jsonSchemaSerde } from './json-schema-serde.ts'

let log: Log
let served: ServedRegistry
let requests: string[] = []

const counted: HttpPort = (request) => {
  requests.push(`${request.method} ${new URL(request.url).pathname}`)
  return fetchHttp()(request)
}
const clientOf = (): RegistryClient => registryClient({ url: served.url, http: counted })

beforeAll(async () => {
  log = await openLog('memory:')
  served = await serveRegistry({ log, port: 0 })
})
afterAll(async () => {
  await served.close()
  await log.close()
})

const v1 = {
  type: 'record',
  name: 'Click',
  namespace: 'com.acme',
  fields: [
    { name: 'adId', type: 'string' },
    { name: 'at', type: 'long' }
  ]
} as const
const v2 = { ...v1, fields: [...v1.fields, { name: 'user', type: ['null', 'string'], default: null }] } as const
const decode = <T>(serde: { decode(bytes: Buffer, start: number, end: number): T }, bytes: Buffer): T => {
  const around = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
  return serde.decode(around, 6, 6 + bytes.length)
}

describe.each(['embedded', 'remote'])('avroSerde with the %s registry', (where) => {
  const registryOf = () => (where === 'embedded' ? served.registry : clientOf())
  const subject = `${where}-value`

  it('writes values with the id of their schema, and reads them', async () => {
    const serde = await avroSerde({ registry: registryOf(), subject, schema: v1 })
    expectTypeOf(serde.encode).parameter(0).toEqualTypeOf<{ adId: string; at: number }>()
    const bytes = serde.encode({ adId: 'ad-1', at: 5 })
    expect(bytes.toString('hex')).toBe(`${frameHeader(serde.schemaId).toString('hex')}0861642d310a`)
    expect({ ...decode(serde, bytes) }).toEqual({ adId: 'ad-1', at: 5 })
    expect((await avroSerde({ registry: registryOf(), subject, schema: v1 })).schemaId).toBe(serde.schemaId)
  })

  it('reads what older programs wrote, and older programs what newer ones wrote, which they learn of', async () => {
    const older = await avroSerde({ registry: registryOf(), subject, schema: v1 })
    const newer = await avroSerde({ registry: registryOf(), subject, schema: v2 })
    expect(decode(newer, older.encode({ adId: 'a', at: 1 }))).toEqual({ adId: 'a', at: 1, user: null })
    const bytes = newer.encode({ adId: 'a', at: 1, user: 'u' })
    const failure = catching(() => decode(older, bytes))
    expect(failure).toMatchObject({ code: 'STREAMS_SERDE_NOT_READY', serde: `avro(${subject})` })
    await failure.ready
    expect(decode(older, bytes)).toEqual({ adId: 'a', at: 1 })
  })

  it('never meets an unknown schema when it was prepared or refreshed', async () => {
    const other = `${where}-prepared`
    const older = await avroSerde({ registry: registryOf(), subject: other, schema: v1 })
    const alsoOlder = await avroSerde({ registry: registryOf(), subject: other, schema: v1 })
    const newer = await avroSerde({ registry: registryOf(), subject: other, schema: v2 })
    const bytes = newer.encode({ adId: 'a', at: 1, user: 'u' })
    await older.prepare([null, bytes, Buffer.from('not framed')])
    await alsoOlder.refresh()
    for (const serde of [older, alsoOlder]) expect(decode(serde, bytes)).toEqual({ adId: 'a', at: 1 })
  })

  it('refuses what the subject does not accept, with the path', async () => {
    const schema = { ...v1, fields: [...v1.fields, { name: 'extra', type: 'int' }] } as const
    await expect(avroSerde({ registry: registryOf(), subject, schema })).rejects.toMatchObject({
      code: 'CONNECTORS_SCHEMA_INCOMPATIBLE',
      subject,
      incompatibilities: [{ type: 'READER_FIELD_MISSING_DEFAULT_VALUE', path: '/fields/2' }],
      message: expect.stringContaining('/fields/2')
    })
    await expect(avroSerde({ registry: registryOf(), subject, schema, register: false })).rejects.toMatchObject({
      code: 'CONNECTORS_SCHEMA_NOT_FOUND',
      errorCode: 40403
    })
    await expect(avroSerde({ registry: registryOf(), subject: 'none' })).rejects.toMatchObject({ errorCode: 40401 })
  })

  it('writes with the latest schema when it is given none', async () => {
    const serde = await avroSerde<unknown, { adId: string; at: number; user: string | null }>({
      registry: registryOf(),
      subject
    })
    expect(decode(serde, serde.encode({ adId: 'x', at: 2, user: null }))).toEqual({ adId: 'x', at: 2, user: null })
  })

  it('uses references', async () => {
    const registry = registryOf()
    const { version } = await registry.register(`${where}-click`, {
      schemaType: 'AVRO',
      schema: JSON.stringify(v1),
      references: []
    })
    const visit = { type: 'record', name: 'Visit', fields: [{ name: 'click', type: 'com.acme.Click' }] } as const
    const references = [{ name: 'com.acme.Click', subject: `${where}-click`, version }]
    const serde = await avroSerde({ registry, subject: `${where}-visit`, schema: visit, references })
    const value = { click: { adId: 'a', at: 3 } }
    expect(JSON.parse(JSON.stringify(decode(serde, serde.encode(value))))).toEqual(value)
    const fresh = await avroSerde<unknown, typeof value>({ registry: registryOf(), subject: `${where}-visit` })
    expect(fresh.encode(value)).toEqual(serde.encode(value))
  })
})

describe('bytes that are wrong', () => {
  it('are errors that say what is wrong with them', async () => {
    const serde = await avroSerde({ registry: served.registry, subject: 'wrong', schema: v1 })
    const bytes = serde.encode({ adId: 'ad-1', at: 5 })
    expect(() => decode(serde, Buffer.from('{}'))).toThrow(/too few/)
    expect(() => decode(serde, Buffer.from('{"a":1}'))).toThrow(/begin with 123/)
    expect(() => decode(serde, bytes.subarray(0, -1))).toThrow(/end within the value/)
    expect(() => decode(serde, Buffer.concat([bytes, Buffer.of(1)]))).toThrow(/1 bytes follow/)
    expect(() => serde.encode({ adId: 'a', at: 'now' as unknown as number })).toThrow(/\$\.at: "now" is no long/)
    const unknown = Buffer.concat([frameHeader(4711), bytes.subarray(5)])
    await catching(() => decode(serde, unknown)).ready
    expect(() => decode(serde, unknown)).toThrow(/schema 4711 .*not found/)
    const other = await avroSerde({
      registry: served.registry,
      subject: 'other',
      schema: { type: 'array', items: 'int' } as const
    })
    await serde.prepare([other.encode([1])])
    expect(() => decode(serde, other.encode([1]))).toThrow(/TYPE_MISMATCH/)
  })

  it('do not become other numbers: longs are exact, or refused', async () => {
    const numbers = await avroSerde({ registry: served.registry, subject: 'numbers', schema: 'long' as const })
    const bigints = await avroSerde<'long', bigint>({
      registry: served.registry,
      subject: 'numbers',
      schema: 'long',
      longs: 'bigint'
    })
    for (const long of [0n, -1n, 2n ** 52n, -(2n ** 52n), 1n - 2n ** 52n]) {
      expect(numbers.encode(Number(long))).toEqual(bigints.encode(long))
      expect(decode(numbers, bigints.encode(long))).toBe(Number(long))
      expect(decode(bigints, bigints.encode(long))).toBe(long)
    }
    // avsc alone writes and reads this one without its sign.
    for (const long of [-6992846708015104n, 6992846708015104n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(decode(bigints, bigints.encode(long))).toBe(long)
      expect(() => decode(numbers, bigints.encode(long))).toThrow(/bigint|precision/)
      expect(() => numbers.encode(Number(long))).toThrow(/is no long|beyond 2\^52/)
    }
    expect(() => bigints.encode(2n ** 63n)).toThrow(/is no/)
  })
})

describe('jsonSchemaSerde', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      age: { type: 'integer' },
      tags: { type: 'array', items: { enum: ['a', 'b'] } }
    },
    required: ['name'],
    additionalProperties: false
  } as const

  it('writes and reads documents that fit, typed by the schema', async () => {
    const serde = await jsonSchemaSerde({ registry: clientOf(), subject: 'json-value', schema })
    expectTypeOf(serde.decode).returns.toMatchTypeOf<{ name: string; age?: number; tags?: ('a' | 'b')[] }>()
    const bytes = serde.encode({ name: 'n', tags: ['a'] })
    expect(bytes.toString('utf8', 5)).toBe('{"name":"n","tags":["a"]}')
    expect(decode(serde, bytes)).toEqual({ name: 'n', tags: ['a'] })
  })

  it('refuses others, with the path, and bytes that are no JSON', async () => {
    const serde = await jsonSchemaSerde({ registry: served.registry, subject: 'json-value', schema })
    const lax = await jsonSchemaSerde({ registry: served.registry, subject: 'json-value', schema, validate: 'never' })
    const bad = { name: 'n', age: 1.5 }
    expect(() => serde.encode(bad)).toThrow(/\$\.age: must be integer/)
    expect(() => decode(serde, lax.encode(bad))).toThrow(expect.objectContaining({ code: 'STREAMS_SCHEMA' }))
    expect(() => decode(serde, Buffer.concat([frameHeader(serde.schemaId), Buffer.from('{"na')]))).toThrow(/JSON/)
    await expect(jsonSchemaSerde({ registry: served.registry, subject: 'numbers' })).rejects.toThrow(
      /is AVRO, not JSON/
    )
  })
})

describe('the client', () => {
  it('asks once for what does not change', async () => {
    const client = clientOf()
    const schema = { schemaType: 'AVRO' as const, schema: '"int"', references: [] }
    const { id } = await client.register('cached', schema)
    requests = []
    await client.register('cached', schema)
    await client.schemaById(id)
    await client.schemaById(id)
    expect(requests).toEqual([`GET /schemas/ids/${id}`])
  })

  it('has the rest of the API', async () => {
    const client = clientOf()
    const schema = { schemaType: 'AVRO' as const, schema: '"int"', references: [] }
    await client.register('rest', schema)
    expect(await client.subjects({ prefix: 're' })).toContain('rest')
    expect(await client.level('rest')).toBe('BACKWARD')
    await client.setLevel('rest', 'FORWARD')
    expect(await client.level('rest')).toBe('FORWARD')
    expect(await client.checkCompatibility('rest', { ...schema, schema: '"long"' })).toEqual([
      { type: 'TYPE_MISMATCH', path: '/', message: "the reader's int cannot be read from the writer's long" }
    ])
    expect(await client.checkCompatibility('rest', schema, { version: 'latest' })).toEqual([])
    expect(await client.deleteSubject('rest')).toEqual([1])
    await expect(client.versions('rest')).rejects.toMatchObject({
      code: 'CONNECTORS_SCHEMA_NOT_FOUND',
      errorCode: 40401
    })
  })

  it('goes to the next server when one does not answer, and says when none does', async () => {
    const dead = 'http://127.0.0.1:1'
    const client = registryClient({ url: [dead, served.url] })
    expect(await client.subjects()).toContain('cached')
    await expect(registryClient({ url: dead }).subjects()).rejects.toMatchObject({
      code: 'CONNECTORS_REGISTRY_UNAVAILABLE'
    })
    const page: HttpPort = async () => ({ status: 200, body: '<html>' })
    await expect(registryClient({ url: dead, http: page }).subjects()).rejects.toThrow(/is it a schema registry/)
    const denied: HttpPort = async () => ({ status: 401, body: 'who are you?' })
    await expect(registryClient({ url: dead, http: denied }).subjects()).rejects.toMatchObject({
      code: 'CONNECTORS_REGISTRY_REFUSED',
      errorCode: 401
    })
    expect(() => registryClient({ url: 'localhost:8081' })).toThrow(/http:\/\/host:8081/)
  })
})

function catching(run: () => unknown): { readonly ready: Promise<unknown> } {
  try {
    run()
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'ready' in error && error.ready instanceof Promise) {
      return Object.assign(error, { ready: error.ready })
    }
    throw error
  }
  throw new RangeError('nothing was thrown')
}
