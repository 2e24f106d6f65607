import type { ServerResponse } from 'node:http'
import { describe, it } from 'vitest'
import { type SourceUnderTest, sourceContract } from '../../testing/source-contract.ts'
import { LoopbackServer } from '../testing/loopback-server.ts'
import { httpSource } from './http-source.ts'
import { sseSource } from './sse-source.ts'

/** A server that pages through what there is, with an ETag; each eleventh answer is refused, each thirteenth never comes. */
async function polled(): Promise<SourceUnderTest> {
  const things: string[] = []
  let asked = 0
  const server = await LoopbackServer.start(({ path, headers }, response) => {
    asked++
    if (asked % 13 === 0) {
      response.destroy()
      return
    }
    const after = Number(new URL(path, 'http://here').searchParams.get('after'))
    const page = things.slice(after, after + 100)
    const etag = `"${after}-${page.length}"`
    const status = asked % 11 === 0 ? 503 : headers['if-none-match'] === etag ? 304 : 200
    response.writeHead(status, { etag }).end(status === 200 ? JSON.stringify(page) : '')
  })
  return {
    source: () =>
      httpSource<number>({
        name: 'polled',
        interval: 2,
        request: (after = 0) => `${server.url}/things?after=${after}`,
        parse: (page, after = 0) => {
          const found = page.json()
          const ids = Array.isArray(found) ? found.map(String) : []
          return {
            records: ids.map((id) => ({ topic: 'things', value: id })),
            position: after + ids.length,
            more: ids.length === 100
          }
        }
      }),
    topics: ['things'],
    produce: async (count) => {
      const ids = Array.from({ length: count }, (_, i) => `thing-${things.length + i}`)
      things.push(...ids)
      return ids
    },
    idOf: ({ value }) => String(value),
    kill: async () => server.cut(),
    close: () => server.close()
  }
}

/** A server that sends events to whoever listens, from the id behind; it ends or cuts the connection now and then. */
async function streamed(): Promise<SourceUnderTest> {
  const things: string[] = []
  const listeners = new Set<{ readonly response: ServerResponse; next: number }>()
  let connections = 0
  const feed = () => {
    for (const listener of listeners) {
      const { response } = listener
      for (; listener.next < things.length && !response.destroyed; listener.next++) {
        response.write(`: beat\nid: ${listener.next + 1}\ndata: ${things[listener.next]}\n\n`)
      }
    }
  }
  const server = await LoopbackServer.start(({ headers }, response) => {
    const listener = { response, next: Number(headers['last-event-id'] ?? 0) }
    connections++
    if (connections % 5 === 2) {
      response.writeHead(503).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write('retry: 5\n\n')
    listeners.add(listener)
    response.on('close', () => listeners.delete(listener))
    feed()
    if (connections % 5 === 3) setTimeout(() => response.end('id: 9999\ndata: cut'), 5)
  })
  return {
    source: () =>
      sseSource({
        name: 'streamed',
        url: `${server.url}/events`,
        retry: 5,
        event: ({ data }) => ({ topic: 'things', value: data })
      }),
    topics: ['things'],
    produce: async (count) => {
      const ids = Array.from({ length: count }, (_, i) => `thing-${things.length + i}`)
      things.push(...ids)
      feed()
      return ids
    },
    idOf: ({ value }) => String(value),
    kill: async () => server.cut(),
    close: () => server.close()
  }
}

describe('the contract of sources, of the polling source', () => {
  for (const { name, run } of sourceContract(polled)) it(name, run)
})

describe('the contract of sources, of server-sent events', () => {
  for (const { name, run } of sourceContract(streamed)) it(name, run)
})
