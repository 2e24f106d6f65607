import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { type Log, openLog } from '@millrace/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AvroCodec } from '../avro/avro-codec.ts'
import { framedSchemaId, frameHeader } from '../wire-format.ts'
import { type ServedRegistry, serveRegistry } from './serve-registry.ts'

let log: Log
let served: ServedRegistry

beforeAll(async () => {
  log = await openLog('memory:')
  served = await serveRegistry({ log, port: 0 })
})
afterAll(async () => {
  await served.close()
  await log.close()
})

const click = {
  type: 'record',
  name: 'Click',
  namespace: 'com.acme',
  fields: [
    { name: 'adId', type: 'string' },
    { name: 'at', type: 'long' },
    { name: 'user', type: ['null', 'string'], default: null }
  ]
} as const
const value = { adId: 'ad-1', at: 1_700_000_000_000, user: 'u7' }
const codec = new AvroCodec({
  text: { schemaType: 'AVRO', schema: JSON.stringify(click), references: [] },
  resolved: []
})
const ours = (id: number) => codec.encode(frameHeader(id), value)

describe("kafkajs' registry client", () => {
  it('registers Avro, writes what we write, and reads it', async () => {
    const client = new SchemaRegistry({ host: served.url })
    const { id } = await client.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(click) },
      { subject: 'kafkajs-value', compatibility: COMPATIBILITY.FULL }
    )
    expect(await served.registry.settings.config('kafkajs-value')).toEqual({ compatibilityLevel: 'FULL' })
    const bytes = await client.encode(id, value)
    expect(bytes).toEqual(ours(id))
    expect({ ...(await client.decode(ours(id))) }).toEqual(value)
    expect(await client.getLatestSchemaId('kafkajs-value')).toBe(id)
    expect(await client.getRegistryId('kafkajs-value', 1)).toBe(id)
    expect(
      await client.getRegistryIdBySchema('kafkajs-value', { type: SchemaType.AVRO, schema: JSON.stringify(click) })
    ).toBe(id)
  })

  it('registers JSON schemas, and is told what is incompatible', async () => {
    const client = new SchemaRegistry({ host: served.url })
    const schema = (type: string) => JSON.stringify({ type: 'object', properties: { a: { type } } })
    const { id } = await client.register(
      { type: SchemaType.JSON, schema: schema('string') },
      { subject: 'kafkajs-json' }
    )
    const bytes = await client.encode(id, { a: 'x' })
    expect([framedSchemaId(bytes, 0, bytes.length), bytes.toString('utf8', 5)]).toEqual([id, '{"a":"x"}'])
    expect(await client.decode(bytes)).toEqual({ a: 'x' })
    await expect(
      client.register({ type: SchemaType.JSON, schema: schema('integer') }, { subject: 'kafkajs-json' })
    ).rejects.toThrow(/incompatible.*#\/properties\/a/)
  })

  it('resolves references', async () => {
    const client = new SchemaRegistry({ host: served.url })
    await client.register({ type: SchemaType.AVRO, schema: JSON.stringify(click) }, { subject: 'referred' })
    const visit = {
      type: 'record',
      name: 'Visit',
      namespace: 'com.acme',
      fields: [{ name: 'click', type: 'com.acme.Click' }]
    }
    const references = [{ name: 'com.acme.Click', subject: 'referred', version: 1 }]
    const { id } = await client.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(visit), references },
      { subject: 'refers' }
    )
    const fresh = new SchemaRegistry({ host: served.url })
    const bytes = await client.encode(id, { click: value })
    expect(JSON.parse(JSON.stringify(await fresh.decode(bytes)))).toEqual({ click: value })
  })
})

describe('the server', () => {
  const get = (path: string, init?: RequestInit) => fetch(`${served.url}${path}`, init)

  it('answers in the type that is accepted, and names errors', async () => {
    const plain = await get('/subjects')
    expect(plain.headers.get('content-type')).toBe('application/vnd.schemaregistry.v1+json')
    const json = await get('/subjects', { headers: { accept: 'application/json' } })
    expect(json.headers.get('content-type')).toBe('application/json')
    const missing = await get('/schemas/ids/9999')
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error_code: 40403, message: 'Schema 9999 not found' }
    ])
  })

  it('refuses bodies of other types, torn ones and long ones', async () => {
    const post = (body: string, type: string) =>
      get('/subjects/x/versions', { method: 'POST', body, headers: { 'content-type': type } })
    expect((await post('schema', 'text/plain')).status).toBe(415)
    expect((await post('{"schema":', 'application/json')).status).toBe(400)
    expect((await post('x'.repeat(5_000_000), 'application/json')).status).toBe(413)
    expect((await get('/subjects/%zz')).status).toBe(400)
    const large = JSON.stringify({ schema: JSON.stringify({ type: 'string', doc2: 'x'.repeat(2_000_000) }) })
    expect(await (await post(large, 'application/json')).json()).toMatchObject({ error_code: 42209 })
    expect((await post(JSON.stringify({ schema: '"string"' }), 'application/json')).status).toBe(200)
  })

  it('says when its port is taken', async () => {
    const other = await openLog('memory:')
    const port = Number(new URL(served.url).port)
    await expect(serveRegistry({ log: other, port })).rejects.toMatchObject({
      code: 'MILLRACE_NETWORK',
      systemCode: 'EADDRINUSE'
    })
    await other.close()
  })
})
