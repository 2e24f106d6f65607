import { describe, it } from 'vitest'
import { type SinkUnderTest, sinkContract } from '../../testing/sink-contract.ts'
import { type Answer, LoopbackServer, type SeenRequest } from '../testing/loopback-server.ts'
import { jsonRecordsBody } from './http-body.ts'
import { type HttpSinkOptions, httpSink } from './http-sink.ts'

/** A server that applies requests; poison is refused, and of each eleventh request nobody learns what became of it. */
function unreliable(apply: (request: SeenRequest) => void): { readonly answer: Answer; away: boolean } {
  let asked = 0
  const state = {
    away: false,
    answer: ((request, response) => {
      if (state.away) response.destroy()
      else if (request.body.includes('poison')) response.writeHead(422).end('it is poison')
      else {
        apply(request)
        asked++
        if (asked % 22 === 0) response.writeHead(500).end()
        else if (asked % 11 === 0) response.destroy()
        else response.writeHead(204).end()
      }
    }) satisfies Answer
  }
  return state
}

async function underTest(
  apply: (request: SeenRequest) => void,
  options: (url: string) => Partial<HttpSinkOptions>
): Promise<Omit<SinkUnderTest, 'mode' | 'read'>> {
  const target = unreliable(apply)
  const server = await LoopbackServer.start(target.answer)
  return {
    sink: () => httpSink({ name: 'target', ...options(server.url) }),
    record: (id, content) => ({
      key: Buffer.from(id),
      value: content === null ? null : Buffer.from(JSON.stringify({ id, content }))
    }),
    poison: () => ({ key: Buffer.from('row-bad'), value: Buffer.from('{"id":"row-bad","content":"poison"}') }),
    away: async () => {
      target.away = true
      server.cut()
    },
    back: async () => {
      target.away = false
    },
    close: () => server.close()
  }
}

/** Rows by key: what is to be is in the request. */
async function byKey(): Promise<SinkUnderTest> {
  const rows = new Map<string, string>()
  const apply = ({ method, path, body }: SeenRequest) => {
    const id = decodeURIComponent(path.slice('/rows/'.length))
    if (method === 'DELETE') rows.delete(id)
    else rows.set(id, JSON.parse(body).content)
  }
  const under = await underTest(apply, (url) => ({ url: `${url}/rows/{key}`, mode: 'upsert', order: 'key' }))
  return { ...under, mode: 'upsert', read: async () => [...rows] }
}

/** A list that grows, once for each idempotency key. */
async function byIdempotencyKey(): Promise<SinkUnderTest> {
  const rows: [string, string][] = []
  const known = new Set<string>()
  const apply = ({ headers, body }: SeenRequest) => {
    const key = String(headers['idempotency-key'])
    if (known.has(key)) return
    known.add(key)
    const { id, content } = JSON.parse(body)
    rows.push([id, content])
  }
  const under = await underTest(apply, (url) => ({ url: `${url}/rows` }))
  return { ...under, mode: 'append', read: async () => rows }
}

/** Requests of several records, which say where they come from. */
async function byPlace(): Promise<SinkUnderTest> {
  const rows = new Map<string, readonly [string, string]>()
  const apply = ({ body }: SeenRequest) => {
    for (const { partition, offset, value } of JSON.parse(body)) {
      rows.set(`${partition}-${offset}`, [value.id, value.content])
    }
  }
  const under = await underTest(apply, (url) => ({ url: `${url}/rows`, batchRecords: 5, body: jsonRecordsBody() }))
  return { ...under, mode: 'append', read: async () => [...rows.values()] }
}

describe('the contract of sinks, of HTTP by key', () => {
  for (const { name, run } of sinkContract(byKey)) it(name, run)
})

describe('the contract of sinks, of HTTP by idempotency key', () => {
  for (const { name, run } of sinkContract(byIdempotencyKey)) it(name, run)
})

describe('the contract of sinks, of HTTP with several records to a request', () => {
  for (const { name, run } of sinkContract(byPlace)) it(name, run)
})
