import { type Log, openLog } from '@millrace/log'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openRegistry, type Registry } from './registry.ts'
import { answerRest } from './rest-api.ts'

let log: Log
let registry: Registry
let topics = 0

beforeAll(async () => {
  log = await openLog('memory:')
})
afterAll(() => log.close())
beforeEach(async () => {
  registry = await openRegistry({ log, topic: `_schemas-${topics++}` })
  return () => registry.close()
})

const user = (...fields: unknown[]) => ({ type: 'record', name: 'User', namespace: 'com.acme', fields })
const name = { name: 'name', type: 'string' }
const email = { name: 'email', type: 'string', default: '' }
const age = { name: 'age', type: 'int' }
const avro = (schema: unknown, more: object = {}) => ({ schema: JSON.stringify(schema), ...more })

/** Asks as over HTTP: `GET /subjects?deleted=true`. */
async function ask(line: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const [method, target] = line.split(' ')
  const { pathname, searchParams } = new URL(target, 'http://registry')
  const segments = pathname.split('/').filter(Boolean).map(decodeURIComponent)
  return answerRest(registry, { method, segments, query: searchParams, body })
}

const register = (subject: string, body: object) => ask(`POST /subjects/${subject}/versions`, body)
const idOf = async (subject: string, body: object) => Reflect.get(Object((await register(subject, body)).body), 'id')
const failure = (status: number, code: number, message: unknown = expect.any(String)) => ({
  status,
  body: { error_code: code, message }
})

describe('registration', () => {
  it('gives one id to a schema, however it is spelled, and in whatever subject', async () => {
    expect(await register('a', avro(user(name)))).toMatchObject({ status: 200, body: { id: 1, version: 1 } })
    const spelled = '{ "name" : "com.acme.User", "fields":[{"type":"string","name":"name"}], "type":"record" }'
    expect(await register('a', { schema: spelled })).toMatchObject({ body: { id: 1, version: 1 } })
    expect(await register('b', { schema: spelled, schemaType: 'AVRO' })).toMatchObject({ body: { id: 1, version: 1 } })
    expect(await register('a', avro(user(name, email)))).toMatchObject({ body: { id: 2, version: 2 } })
    expect(await ask('GET /schemas/ids/1/versions')).toMatchObject({
      body: [
        { subject: 'a', version: 1 },
        { subject: 'b', version: 1 }
      ]
    })
  })

  it('gives one id to a schema that many register at once, and other ids to others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => idOf(`subject-${i % 4}`, avro(user({ ...name, name: `n${i % 10}` }))))
    )
    const byName = new Map<number, Set<unknown>>()
    for (const [i, id] of answers.entries()) byName.set(i % 10, (byName.get(i % 10) ?? new Set()).add(id))
    expect([...byName.values()].every((ids) => ids.size === 1)).toBe(false)
    await registry.settings.setConfig(null, { compatibilityLevel: 'NONE' })
    const again = await Promise.all(
      Array.from({ length: 40 }, (_, i) => idOf(`other-${i % 4}`, avro(user({ ...name, name: `m${i % 10}` }))))
    )
    expect(new Set(again).size).toBe(10)
    for (const [i, id] of again.entries()) expect(id).toBe(again[i % 10])
  })

  it('tells documentation apart, and attributes in another order only when it is to normalize', async () => {
    await registry.settings.setConfig(null, { compatibilityLevel: 'NONE' })
    const one = await idOf('a', avro({ type: 'string', zeta: 1, alpha: 2 }))
    expect(await idOf('a', avro({ type: 'string', alpha: 2, zeta: 1 }))).not.toBe(one)
    const normal = await ask('POST /subjects/b/versions?normalize=true', avro({ type: 'string', zeta: 1, alpha: 2 }))
    expect(await ask('POST /subjects/b/versions?normalize=true', avro({ type: 'string', alpha: 2, zeta: 1 }))).toEqual(
      normal
    )
    expect(await idOf('a', avro({ ...user(name), doc: 'said' }))).not.toBe(await idOf('a', avro(user(name))))
  })

  it('refuses what is no schema', async () => {
    for (const schema of ['{', '"strin"', '{"type":"record","name":"A"}', '{"type":"fixed","name":"A","size":-1}']) {
      expect(await register('a', { schema }), schema).toEqual(failure(422, 42201))
    }
    expect(await register('a', { schema: '{"type":"nothing"}', schemaType: 'JSON' })).toEqual(failure(422, 42201))
    expect(await register('a', { schema: '', schemaType: 'AVRO' })).toEqual(failure(422, 42201))
    expect(await register('a', { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' })).toEqual(failure(422, 42201))
    const wrongDefault = avro(user({ name: 'n', type: 'int', default: 'x' }))
    expect(await register('a', wrongDefault)).toEqual(failure(422, 42201, expect.stringContaining('/fields/0/default')))
  })
})

describe('compatibility', () => {
  it('is backward by default, and says where it is not', async () => {
    await register('a', avro(user(name)))
    const answer = await register('a', avro(user(name, age)))
    expect(answer).toEqual(
      failure(409, 40901, expect.stringMatching(/READER_FIELD_MISSING_DEFAULT_VALUE.*\/fields\/1/))
    )
    expect(
      await ask('POST /compatibility/subjects/a/versions/latest?verbose=true', avro(user(name, age)))
    ).toMatchObject({
      status: 200,
      body: { is_compatible: false, messages: [expect.stringContaining('/fields/1')] }
    })
    expect(await ask('POST /compatibility/subjects/a/versions', avro(user(name, email)))).toEqual({
      status: 200,
      body: { is_compatible: true }
    })
  })

  it('allows anything where there is nothing yet, but knows no version of it', async () => {
    const compatible = { status: 200, body: { is_compatible: true } }
    for (const versions of ['versions', 'versions/latest']) {
      expect(await ask(`POST /compatibility/subjects/new/${versions}`, avro(user(name)))).toEqual(compatible)
    }
    expect(await ask('POST /compatibility/subjects/new/versions/1', avro(user(name)))).toEqual(failure(404, 40401))
    await register('a', avro(user(name)))
    expect(await ask('POST /compatibility/subjects/a/versions/2', avro(user(name)))).toEqual(failure(404, 40402))
    await ask('DELETE /subjects/a')
    expect(await ask('POST /compatibility/subjects/a/versions/latest', avro(user(age)))).toEqual(compatible)
  })

  const third = user(name, age)
  it.each([
    ['NONE', true],
    // v1 has name and email, v2 name and age with a default; v3 lacks the default.
    ['BACKWARD', true],
    ['BACKWARD_TRANSITIVE', false],
    ['FORWARD', true],
    ['FORWARD_TRANSITIVE', false],
    ['FULL', true],
    ['FULL_TRANSITIVE', false]
  ])('%s: a schema that only the last but one is against is registered: %s', async (compatibility, isRegistered) => {
    await ask('PUT /config', { compatibility: 'NONE' })
    await register('a', avro(user(name, { name: 'mail', type: 'string' })))
    await register('a', avro(user(name, { ...age, default: 0 })))
    expect(await ask('PUT /config/a', { compatibility })).toEqual({ status: 200, body: { compatibility } })
    expect((await register('a', avro(third))).status).toBe(isRegistered ? 200 : 409)
  })

  it('compares JSON schemas too', async () => {
    const object = (properties: object) => avro({ type: 'object', properties }, { schemaType: 'JSON' })
    await register('j', object({ a: { type: 'string' } }))
    expect(await register('j', object({ a: { type: 'integer' } }))).toEqual(
      failure(409, 40901, expect.stringContaining('#/properties/a'))
    )
    expect(await ask('GET /subjects/j/versions/1')).toMatchObject({ body: { schemaType: 'JSON', subject: 'j', id: 1 } })
  })
})

describe('references', () => {
  const address = { type: 'record', name: 'Address', namespace: 'com.acme', fields: [name] }
  const references = [{ name: 'com.acme.Address', subject: 'address', version: 1 }]
  const person = user({ name: 'home', type: 'com.acme.Address' })

  it('are resolved, kept as they are, and keep what they refer to from being deleted', async () => {
    await register('address', avro(address))
    expect(await register('person', avro(person, { references }))).toMatchObject({ status: 200, body: { id: 2 } })
    const { body } = await ask('GET /schemas/ids/2')
    expect(body).toEqual({ schema: expect.not.stringContaining('"fields":[{"name":"name"'), references })
    expect(await ask('GET /subjects/address/versions/1/referencedby')).toEqual({ status: 200, body: [2] })
    expect(await ask('DELETE /subjects/address/versions/1')).toEqual(failure(422, 42206))
    expect(await ask('DELETE /subjects/address')).toEqual(failure(422, 42206))
  })

  it('that lead nowhere are refused', async () => {
    expect(await register('person', avro(person, { references }))).toEqual(
      failure(422, 42201, expect.stringContaining('address'))
    )
  })
})

describe('deletion', () => {
  it('is soft first: ids can still be read; then permanent', async () => {
    await register('a', avro(user(name)))
    await register('a', avro(user(name, email)))
    expect(await ask('DELETE /subjects/a/versions/1?permanent=true')).toEqual(failure(404, 40407))
    expect(await ask('DELETE /subjects/a/versions/1')).toEqual({ status: 200, body: 1 })
    expect(await ask('DELETE /subjects/a/versions/1')).toEqual(failure(404, 40406))
    expect(await ask('GET /subjects/a/versions')).toEqual({ status: 200, body: [2] })
    expect(await ask('GET /subjects/a/versions/1')).toEqual(failure(404, 40402))
    expect(await ask('GET /subjects/a/versions/1?deleted=true')).toMatchObject({ status: 200, body: { id: 1 } })
    expect(await ask('GET /schemas/ids/1')).toMatchObject({ status: 200 })
    expect(await ask('DELETE /subjects/a/versions/1?permanent=true')).toEqual({ status: 200, body: 1 })
    expect(await ask('GET /schemas/ids/1')).toEqual(failure(404, 40403))
  })

  it('of a subject leaves its ids, numbers on, and never gives an id again', async () => {
    await register('a', avro(user(name)))
    await ask('PUT /config/a', { compatibility: 'FULL' })
    expect(await ask('DELETE /subjects/a?permanent=true')).toEqual(failure(404, 40405))
    expect(await ask('DELETE /subjects/a')).toEqual({ status: 200, body: [1] })
    expect(await ask('DELETE /subjects/a')).toEqual(failure(404, 40404))
    expect(await ask('GET /config/a')).toEqual(failure(404, 40408))
    expect(await ask('GET /subjects')).toEqual({ status: 200, body: [] })
    expect(await ask('GET /subjects?deleted=true')).toEqual({ status: 200, body: ['a'] })
    expect(await register('a', avro(user(age)))).toMatchObject({ body: { id: 2, version: 2 } })
    expect(await register('a', avro(user(name, email)))).toMatchObject({ status: 409 })
    await ask('DELETE /subjects/a')
    expect(await ask('DELETE /subjects/a?permanent=true')).toEqual({ status: 200, body: [1, 2] })
    expect(await register('a', avro(user(name)))).toMatchObject({ body: { id: 3, version: 1 } })
  })
})

describe('what is not there', () => {
  it.each([
    ['GET /subjects/x/versions', 40401],
    ['GET /subjects/x/versions/1', 40401],
    ['GET /subjects/a/versions/7', 40402],
    ['GET /schemas/ids/77', 40403],
    ['GET /config/x', 40408],
    ['GET /mode/x', 40409],
    ['DELETE /config/x', 40401],
    ['DELETE /subjects/x', 40401],
    ['GET /schemas/ids/99', 40403],
    ['GET /schemas/ids/x', 404],
    ['GET /nothing', 404]
  ])('%s: %i', async (line, code) => {
    await register('a', avro(user(name)))
    expect(await ask(line)).toEqual(failure(404, code))
  })

  it('is also what a lookup does not find', async () => {
    expect(await ask('POST /subjects/x', avro(user(name)))).toEqual(failure(404, 40401))
    await register('a', avro(user(name)))
    expect(await ask('POST /subjects/a', avro(user(age)))).toEqual(failure(404, 40403))
    expect(await ask('POST /subjects/a', avro(user(name)))).toMatchObject({ status: 200, body: { id: 1, version: 1 } })
  })

  it.each([
    ['GET /subjects/a/versions/0', undefined, 422, 42202],
    ['PUT /config', { compatibility: 'SIDEWAYS' }, 422, 42203],
    ['PUT /mode', { mode: 'READSOMETIMES' }, 422, 42204],
    ['POST /config', {}, 405, 405]
  ])('%s is refused', async (line, body, status, code) => {
    expect(await ask(line, body)).toEqual(failure(status, code))
  })
})

describe('modes', () => {
  it('READONLY lets nothing be changed', async () => {
    await register('a', avro(user(name)))
    expect(await ask('PUT /mode', { mode: 'READONLY' })).toEqual({ status: 200, body: { mode: 'READONLY' } })
    expect(await register('a', avro(user(name, email)))).toEqual(failure(422, 42205))
    expect(await ask('DELETE /subjects/a')).toEqual(failure(422, 42205))
    expect(await register('a', avro(user(name)))).toMatchObject({ status: 200 })
    await ask('PUT /mode/a', { mode: 'READWRITE' })
    expect(await register('a', avro(user(name, email)))).toMatchObject({ status: 200 })
    expect(await ask('DELETE /mode/a')).toEqual({ status: 200, body: { mode: 'READWRITE' } })
  })

  it('IMPORT takes ids and versions from elsewhere, unchecked', async () => {
    expect(await register('a', avro(user(name), { id: 70, version: 3 }))).toEqual(failure(422, 42205))
    await ask('PUT /mode', { mode: 'IMPORT' })
    expect(await register('a', avro(user(name)))).toEqual(failure(422, 42205))
    expect(await register('a', avro(user(name), { id: 70, version: 3 }))).toMatchObject({
      body: { id: 70, version: 3 }
    })
    expect(await register('a', avro(user(age), { id: 71, version: 4 }))).toMatchObject({ body: { id: 71, version: 4 } })
    expect(await ask('PUT /mode/a', { mode: 'IMPORT' })).toEqual(failure(422, 42205))
    await ask('PUT /mode', { mode: 'READWRITE' })
    expect(await register('a', avro(user({ ...age, default: 1 })))).toMatchObject({ body: { id: 72, version: 5 } })
  })
})
