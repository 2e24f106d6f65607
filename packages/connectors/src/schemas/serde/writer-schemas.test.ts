import type { Environment, MillraceError } from '@millrace/log'
import { SerdeError, SerdeNotReadyError } from '@millrace/streams'
import { beforeEach, describe, expect, it } from 'vitest'
import type { SchemaRegistry } from '../client/schema-registry.ts'
import { InvalidSchemaError, RegistryErrorCode, RegistryRefusedError, SchemaNotFoundError } from '../errors.ts'
import { WriterSchemas } from './writer-schemas.ts'

let nowMs = 0
let asked = 0
/** What the registry says; undefined: here is the schema. */
let refusal: MillraceError | undefined

/** Waiting takes no time: the clock is put forward. */
const environment: Pick<Environment, 'clock' | 'timers'> = {
  clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
  timers: {
    set(delayMs, callback) {
      nowMs += delayMs
      queueMicrotask(callback)
      return { cancel: () => undefined }
    },
    soon: queueMicrotask
  }
}
const unexpected = () => Promise.reject(new TypeError('nobody asks for that'))
const registry: SchemaRegistry = {
  register: unexpected,
  lookup: unexpected,
  version: unexpected,
  versions: unexpected,
  async schemaById() {
    asked++
    if (refusal !== undefined) throw refusal
    return { schemaType: 'AVRO', schema: '"string"', references: [] }
  }
}
const notFound = new SchemaNotFoundError(RegistryErrorCode.SCHEMA_NOT_FOUND, 'schema not found')

let schemas: WriterSchemas
beforeEach(() => {
  nowMs = 0
  asked = 0
  refusal = notFound
  schemas = new WriterSchemas({ serde: 'avro(clicks)', registry, decoderOf: () => () => 'decoded', environment })
})
const decode = (id: number) => schemas.decoder(id)(Buffer.alloc(0), 0, 0)
const waiting = (id: number): Promise<unknown> => {
  try {
    decode(id)
  } catch (error) {
    if (error instanceof SerdeNotReadyError) return error.ready
  }
  throw new TypeError('it was to be waited for')
}
/** What was begun beside is over. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('schemas that values were written with', () => {
  it('are asked for again before they count as missing: a server may not have heard of them yet', async () => {
    const ready = waiting(7)
    await Promise.resolve()
    refusal = undefined
    await ready
    expect([decode(7), asked, nowMs]).toEqual(['decoded', 2, 100])
  })

  it('are asked for beside the values that name them while they are missing, and found', async () => {
    await waiting(7)
    expect([asked, nowMs]).toEqual([4, 700])
    for (let i = 0; i < 100; i++) expect(() => decode(7)).toThrow(SerdeError)
    await settled()
    expect(asked).toBe(4)
    nowMs += 1000
    for (let i = 0; i < 100; i++) expect(() => decode(7)).toThrow(/schema 7 .*not found/)
    await settled()
    expect(asked).toBe(5)
    refusal = undefined
    nowMs += 1000
    expect(() => decode(7)).toThrow(SerdeError)
    await settled()
    expect(decode(7)).toBe('decoded')
  })

  it('are waited for anew when nothing has named them for long', async () => {
    await waiting(7)
    expect(() => decode(7)).toThrow(SerdeError)
    refusal = undefined
    nowMs += 60_001
    await waiting(7)
    expect(decode(7)).toBe('decoded')
  })

  it('that a registry may not give are asked for again too, but not what is no schema', async () => {
    refusal = new RegistryRefusedError(403, 'not allowed')
    await waiting(7)
    expect([asked, nowMs]).toEqual([1, 0])
    refusal = new InvalidSchemaError({ problem: 'it is none' })
    await waiting(8)
    for (const id of [7, 8]) expect(() => decode(id)).toThrow(SerdeError)
    refusal = undefined
    nowMs += 60_001
    await waiting(7)
    expect(decode(7)).toBe('decoded')
    expect(() => decode(8)).toThrow('it is none')
  })
})
