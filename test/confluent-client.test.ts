import { join } from 'node:path'
import {
  AvroCodec,
  framedSchemaId,
  frameHeader,
  type ServedRegistry,
  serveRegistry
} from '@millrace/connectors/schemas'
import { type Log, openLog } from '@millrace/log'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { npmPeer } from './peers/npm-peer.ts'

/** Of the package's classes, what is used. */
interface ConfluentClient {
  register(subject: string, schema: object): Promise<number>
  getAllSubjects(): Promise<string[]>
  getAllVersions(subject: string): Promise<number[]>
  getVersion(subject: string, schema: object): Promise<number>
  updateCompatibility(subject: string, level: string): Promise<unknown>
  getCompatibility(subject: string): Promise<string>
  testCompatibility(subject: string, version: number, schema: object): Promise<boolean>
  getLatestSchemaMetadata(subject: string): Promise<{ schema: string }>
  deleteSubjectVersion(subject: string, version: number): Promise<number>
  deleteSubject(subject: string, permanent: boolean): Promise<number[]>
}
type Serializer = new (
  client: ConfluentClient,
  type: unknown,
  options: object
) => {
  serialize(topic: string, value: unknown): Promise<Buffer>
}
type Deserializer = new (
  client: ConfluentClient,
  type: unknown,
  options: object
) => {
  deserialize(topic: string, bytes: Buffer): Promise<object>
}
interface ConfluentModules {
  readonly SchemaRegistryClient: new (options: { readonly baseURLs: readonly string[] }) => ConfluentClient
  readonly AvroSerializer: Serializer
  readonly AvroDeserializer: Deserializer
  readonly JsonSerializer: Serializer
  readonly JsonDeserializer: Deserializer
  readonly SerdeType: { readonly VALUE: unknown }
}

const PACKAGE = '@confluentinc/schemaregistry'
// Not the package's entry: that loads its encryption rules, of which a dependency cannot be run from its sources.
const MODULES = ['schemaregistry-client.js', 'serde/avro.js', 'serde/json.js', 'serde/serde.js']
const peer = await npmPeer(join(import.meta.dirname, 'peers', 'confluent-client'), PACKAGE)
const missing = 'missing' in peer ? peer.missing : undefined

async function loadModules(): Promise<ConfluentModules> {
  const parts = 'load' in peer ? await Promise.all(MODULES.map((name) => peer.load(`${PACKAGE}/dist/${name}`))) : []
  return Object.assign({}, ...parts)
}

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

describe.skipIf(missing !== undefined)(
  `Confluent's registry client${missing === undefined ? '' : `: ${missing}`}`,
  () => {
    let log: Log
    let served: ServedRegistry
    let modules: ConfluentModules
    beforeAll(async () => {
      modules = await loadModules()
      log = await openLog('memory:')
      served = await serveRegistry({ log, port: 0 })
    })
    afterAll(async () => {
      await served?.close()
      await log?.close()
    })
    const clientOf = () => new modules.SchemaRegistryClient({ baseURLs: [served.url] })

    it('writes Avro as we do, registering the schema itself, and reads what we write', async () => {
      const client = clientOf()
      await client.register('confluent-value', { schemaType: 'AVRO', schema: JSON.stringify(click) })
      const serializer = new modules.AvroSerializer(client, modules.SerdeType.VALUE, { useLatestVersion: true })
      const bytes = await serializer.serialize('confluent', value)
      const id = framedSchemaId(bytes, 0, bytes.length)
      expect(bytes).toEqual(ours(id))
      const deserializer = new modules.AvroDeserializer(clientOf(), modules.SerdeType.VALUE, {})
      expect({ ...(await deserializer.deserialize('confluent', ours(id))) }).toEqual(value)
    })

    it('writes JSON, and reads it', async () => {
      const client = clientOf()
      const schema = JSON.stringify({ type: 'object', properties: { a: { type: 'string' } } })
      await client.register('confluent-json-value', { schemaType: 'JSON', schema })
      const serializer = new modules.JsonSerializer(client, modules.SerdeType.VALUE, { useLatestVersion: true })
      const bytes = await serializer.serialize('confluent-json', { a: 'x' })
      expect(bytes.toString('utf8', 5)).toBe('{"a":"x"}')
      const deserializer = new modules.JsonDeserializer(clientOf(), modules.SerdeType.VALUE, {})
      expect(await deserializer.deserialize('confluent-json', bytes)).toEqual({ a: 'x' })
    })

    it('administers subjects', async () => {
      const client = clientOf()
      const text = { schemaType: 'AVRO', schema: '"string"' }
      const subject = 'administered-value'
      await client.register(subject, text)
      expect(await client.getAllSubjects()).toContain(subject)
      expect(await client.getAllVersions(subject)).toEqual([1])
      expect(await client.getVersion(subject, text)).toBe(1)
      await client.updateCompatibility(subject, 'FORWARD')
      expect(await client.getCompatibility(subject)).toBe('FORWARD')
      expect(await client.testCompatibility(subject, 1, { schemaType: 'AVRO', schema: '"int"' })).toBe(false)
      expect((await client.getLatestSchemaMetadata(subject)).schema).toBe('"string"')
      expect(await client.deleteSubjectVersion(subject, 1)).toBe(1)
      await expect(clientOf().getLatestSchemaMetadata(subject)).rejects.toMatchObject({ status: 404, errorCode: 40401 })
      expect(await client.deleteSubject(subject, true)).toEqual([1])
    })
  }
)
