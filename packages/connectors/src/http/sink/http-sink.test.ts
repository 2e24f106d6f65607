import { type Environment, memoryEnvironment, UsageError } from '@millrace/log'
import { afterEach, describe, expect, it } from 'vitest'
import { PoisonousRecordError, TransientSinkError } from '../../errors.ts'
import type { HttpAnswer, HttpRequest } from '../../http-port/http-port.ts'
import type { IdempotentSink, SinkRecord } from '../../sink.ts'
import { HttpSinkHeadersError, HttpSinkSetupError } from '../errors.ts'
import { type Answer, LoopbackServer } from '../testing/loopback-server.ts'
import { jsonRecordsBody, ndjsonBody } from './http-body.ts'
import { type HttpSinkOptions, httpSink } from './http-sink.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function record(offset: number, value: string | null, { key = null as string | null, partition = 0 } = {}): SinkRecord {
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  return { topic: 'in', partition, offset, key: bytes(key), value: bytes(value), timestamp: 5, headers: [] }
}

async function opened(options: Partial<HttpSinkOptions>, environment: Environment = memoryEnvironment()) {
  const sink: IdempotentSink = httpSink({ name: 'target', ...options })
  const controller = new AbortController()
  await sink.open([], { signal: controller.signal, environment, report: () => undefined })
  return { write: (...batch: readonly SinkRecord[]) => sink.write(batch), stop: () => controller.abort() }
}

/** A sink over a server on loopback. */
async function served(answer: Answer, options: Partial<HttpSinkOptions> = {}) {
  const server = await LoopbackServer.start(answer)
  closing.push(() => server.close())
  return { server, ...(await opened({ url: `${server.url}/in`, ...options })) }
}

/** A sink over a port that answers as it is told. */
async function answered(
  answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>,
  options: Partial<HttpSinkOptions> = {}
) {
  const sent: HttpRequest[] = []
  const http = async (request: HttpRequest) => {
    sent.push(request)
    return answer(request)
  }
  const keys = () => sent.map(({ headers }) => headers['idempotency-key'])
  const url = options.request === undefined ? { url: 'http://target/in' } : {}
  return { sent, keys, ...(await opened({ ...url, http, ...options })) }
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

describe('the HTTP sink', () => {
  it('sends each record with a key of its own, and the headers of all', async () => {
    const { server, write } = await served((_, response) => void response.writeHead(201).end(), {
      headers: () => ({ Authorization: 'Bearer t' })
    })
    await write(record(3, '{"n":1}'), record(3, '{"n":2}'), record(4, '{"n":3}', { partition: 1 }))
    const seen = server.seen.map(({ method, path, headers, body }) => [
      method,
      path,
      headers['idempotency-key'],
      headers['content-type'],
      headers.authorization,
      body
    ])
    expect(seen.toSorted()).toEqual([
      ['POST', '/in', 'in-0-3', 'application/json', 'Bearer t', '{"n":1}'],
      ['POST', '/in', 'in-0-3.1', 'application/json', 'Bearer t', '{"n":2}'],
      ['POST', '/in', 'in-1-4', 'application/json', 'Bearer t', '{"n":3}']
    ])
  })

  it('puts and deletes by key', async () => {
    const { sent, write } = await answered(({ method }) => ({ status: method === 'DELETE' ? 404 : 200, body: '' }), {
      mode: 'upsert',
      url: ({ offset }) => `http://target/rows/{key}?at=${offset}`
    })
    await write(record(0, '{}', { key: 'a/ü' }), record(1, null, { key: 'a/ü' }))
    expect(sent.map(({ method, url, body }) => [method, url, body?.toString()])).toEqual([
      ['PUT', 'http://target/rows/a%2F%C3%BC?at=0', '{}'],
      ['DELETE', 'http://target/rows/a%2F%C3%BC?at=1', undefined]
    ])
    for (const bad of [record(2, '{}'), record(2, '{}', { key: '..' })]) {
      await expect(write(bad)).rejects.toThrow(PoisonousRecordError)
    }
  })

  it('refuses options that do not go together', () => {
    const refused = (options: Partial<HttpSinkOptions>) => () => httpSink({ name: 'target', ...options })
    expect(refused({})).toThrow(UsageError)
    expect(refused({ url: 'there' })).toThrow("'there' is no URL")
    expect(refused({ url: 'http://t/in', mode: 'upsert' })).toThrow("write 'http://t/in/{key}'")
    expect(refused({ url: 'http://t/{key}', mode: 'upsert', batchRecords: 2 })).toThrow('leave batchRecords at 1')
    expect(refused({ url: 'http://t/', concurrency: 0 })).toThrow('concurrency is 0')
  })

  it('sends what was answered with something that passes again, alone, and not before it may', async () => {
    let refusals = 1
    const { keys, write } = await answered(
      ({ headers }) =>
        headers['idempotency-key'] === 'in-0-1' && refusals-- > 0
          ? { status: 503, headers: { 'retry-after': '1' }, body: 'busy' }
          : { status: 200, body: '' },
      { concurrency: 1 }
    )
    const batch = [record(0, '0'), record(1, '1'), record(2, '2')]
    const beganMs = performance.now()
    const error = await failure(write(...batch))
    expect(error).toBeInstanceOf(TransientSinkError)
    expect(String(error)).toMatch(/POST http:.*503: busy.* left alone for 1000 ms/)
    await write(...batch)
    expect(performance.now() - beganMs).toBeGreaterThan(900)
    expect(keys()).toEqual(['in-0-0', 'in-0-1', 'in-0-1', 'in-0-2'])
  })

  it('repeats a request of several records as it was, though a part of the batch comes', async () => {
    let lost = 1
    const { sent, keys, write } = await answered(
      ({ headers }) => {
        if (headers['idempotency-key'] === 'in-0-2-3' && lost-- > 0) throw new TypeError('fetch failed')
        return { status: 200, body: '' }
      },
      { batchRecords: 2, body: ndjsonBody() }
    )
    const batch = [0, 1, 2, 3, 4].map((offset) => record(offset, `{\n"n":${offset}}`))
    await expect(write(...batch)).rejects.toThrow(TransientSinkError)
    await write(...batch.slice(1, 4))
    await write(...batch.slice(4))
    expect(keys()).toEqual(['in-0-0-1', 'in-0-2-3', 'in-0-2-3', 'in-0-4-4'])
    expect(sent[2].body).toBe('{ "n":2}\n{ "n":3}\n')
    expect(sent[2].body).toBe(sent[1].body)
  })

  it('gives a request up that takes too long, and takes a conflict for it a few times', async () => {
    const server = await served(() => undefined, { timeout: 20 })
    await expect(server.write(record(0, '0'))).rejects.toThrow(/took longer than 20 ms/)
    let first = true
    const { keys, write } = await answered(() => {
      if (!first) return { status: 409, body: 'under way' }
      first = false
      throw new TypeError('gone')
    })
    for (let i = 0; i < 6; i++) await expect(write(record(0, '0'))).rejects.toThrow(TransientSinkError)
    await expect(write(record(0, '0'))).rejects.toThrow(/cannot be written: .*409: under way/)
    expect(keys()).toHaveLength(7)
    const fresh = await answered(() => ({ status: 409, body: 'taken' }))
    await expect(fresh.write(record(0, '0'))).rejects.toThrow(PoisonousRecordError)
  })

  it('finds the record that spoils a request of several, and sends none twice', async () => {
    const { keys, write } = await answered(
      ({ body }) => ({ status: String(body).includes('bad') ? 400 : 200, body: 'no' }),
      { batchRecords: 4 }
    )
    const values = ['0', '1', '"bad"', '3', '4']
    const batch = values.map((value, offset) => record(offset, value))
    const error = await failure(write(...batch))
    expect(error).toBeInstanceOf(PoisonousRecordError)
    expect(error).toMatchObject({ offset: 2, cause: { status: 400 } })
    // The runner writes what is before it, puts it aside, and writes what is behind it.
    await write(...batch.slice(0, 2))
    await write(...batch.slice(3))
    expect(keys()).toEqual(['in-0-0-3', 'in-0-0-1', 'in-0-2-3', 'in-0-2-2', 'in-0-3-4'])
  })

  it('names records that cannot be sent at all', async () => {
    const strange = await answered(() => ({ status: 200, body: '' }), {
      request: ([{ value }]) =>
        String(value) === 'url'
          ? { url: 'ftp://there' }
          : { url: 'http://there', headers: { 'x-value': String(value) } }
    })
    await expect(strange.write(record(0, 'url'))).rejects.toThrow(/'ftp:\/\/there' is no URL of http/)
    await expect(strange.write(record(0, '…'))).rejects.toThrow(/the header x-value has characters/)
    expect(strange.sent).toHaveLength(0)
    const { sent, write } = await answered(() => ({ status: 200, body: '' }), { batchRecords: 3 })
    expect(await failure(write(record(0, '1'), record(1, '{')))).toMatchObject({ offset: 1 })
    await expect(write(record(2, null))).rejects.toThrow(/it has no value to send: leave tombstones out/)
    expect(sent).toHaveLength(0)
    const own = await answered(() => ({ status: 200, body: '' }), {
      batchRecords: 3,
      request: (records) => ({
        url: 'http://target/',
        body: records.map(({ value }) => JSON.parse(String(value))).join()
      })
    })
    expect(await failure(own.write(record(0, '1'), record(1, '2'), record(2, '{')))).toMatchObject({ offset: 2 })
    expect(own.keys()).toEqual(['in-0-0-0', 'in-0-1-1'])
  })

  it('stops, blaming no record, when it is not let in, or sent elsewhere', async () => {
    for (const [status, advice] of [
      [401, /credentials/],
      [403, /may do that/],
      [308, /Location http:\/\/there.*Give the address that it moved to/]
    ] as const) {
      const { write } = await served((_, response) => {
        response.writeHead(status, status === 308 ? { location: 'http://there' } : {}).end()
      })
      const error = await failure(write(record(0, '0')))
      expect(error).toBeInstanceOf(HttpSinkSetupError)
      expect(String(error)).toMatch(advice)
    }
    const { write } = await answered(() => ({ status: 200, body: '' }), {
      headers: async () => Promise.reject(new TypeError('no token'))
    })
    await expect(write(record(0, '0'))).rejects.toThrow(/`headers` failed: no token/)
    const unsendable = await answered(() => ({ status: 200, body: '' }), { headers: { authorization: 'secret\n' } })
    const error = await failure(unsendable.write(record(0, '0')))
    expect(error).toBeInstanceOf(HttpSinkHeadersError)
    expect(String(error)).toMatch(/the header authorization has characters/)
    expect(String(error)).not.toContain('secret')
  })

  it('asks the program what an answer means', async () => {
    const { keys, write } = await answered(({ body }) => ({ status: 200, body: String(body) }), {
      batchRecords: 3,
      body: jsonRecordsBody(),
      verdict: ({ body }, records) => {
        const bad = JSON.parse(body).findIndex(({ value }: { value: unknown }) => value === 'bad')
        return bad === -1 ? undefined : { refused: records[bad], reason: 'the answer says so' }
      }
    })
    const batch = [record(0, '1', { key: 'k' }), record(1, '"bad"'), record(2, null)]
    expect(await failure(write(...batch))).toMatchObject({ offset: 1, message: expect.stringContaining('says so') })
    await write(batch[0])
    await write(batch[2])
    expect(keys()).toEqual(['in-0-0-2', 'in-0-0-0', 'in-0-2-2'])
  })

  it('keeps the order of a partition, or of a key, with no more requests at once than it may', async () => {
    const run = async (order: 'partition' | 'key') => {
      let underWay = 0
      let most = 0
      const done: string[] = []
      const { write } = await answered(
        async ({ body }) => {
          underWay++
          most = Math.max(most, underWay)
          await new Promise((resolve) => setTimeout(resolve, 2))
          underWay--
          done.push(String(body))
          return { status: 200, body: '' }
        },
        { order, concurrency: 3 }
      )
      const batch = Array.from({ length: 40 }, (_, i) => {
        const key = `k${i % 5}`
        return record(i, `${key} ${i}`, { key, partition: i % 5 })
      })
      await write(...batch)
      expect(done).toHaveLength(40)
      for (let k = 0; k < 5; k++) {
        const mine = done.filter((body) => body.startsWith(`k${k} `)).map((body) => Number(body.split(' ')[1]))
        expect(mine).toEqual(mine.toSorted((a, b) => a - b))
      }
      return most
    }
    expect(await run('partition')).toBe(3)
    expect(await run('key')).toBe(3)
  })

  it('begins no request any more when it is to stop, and ends those under way', async () => {
    const { keys, write, stop } = await answered(async () => {
      stop()
      return { status: 200, body: '' }
    })
    await expect(write(record(0, '0'), record(1, '1'))).rejects.toThrow(TransientSinkError)
    expect(keys()).toEqual(['in-0-0'])
  })
})
