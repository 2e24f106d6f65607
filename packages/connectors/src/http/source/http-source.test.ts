import type { ServerResponse } from 'node:http'
import { type Environment, memoryEnvironment } from '@millrace/log'
import { afterEach, describe, expect, it } from 'vitest'
import { TransientSourceError } from '../../errors.ts'
import type { Positions, Source, SourceContext, SourceReader } from '../../source.ts'
import { HttpAnswerError, HttpRequestError, HttpStatusError } from '../errors.ts'
import { LoopbackServer, type SeenRequest } from '../testing/loopback-server.ts'
import { type HttpPosition, type HttpSourceOptions, httpSource } from './http-source.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(answer: (request: SeenRequest, response: ServerResponse) => void): Promise<LoopbackServer> {
  const server = await LoopbackServer.start(answer)
  closing.push(() => server.close())
  return server
}

function contextOf(environment: Environment = memoryEnvironment()): SourceContext & { stop(): void } {
  const controller = new AbortController()
  const state = { get: () => undefined, set: () => undefined, async *scan() {} }
  return {
    signal: controller.signal,
    environment,
    state,
    report: () => undefined,
    stop: () => controller.abort()
  }
}

function open<P>(source: Source<P>, position?: P, context: SourceContext = contextOf()): Promise<SourceReader<P>> {
  const positions: Positions<P> = new Map(position === undefined ? [] : [['', position]])
  return source.open(positions, context)
}

/** A source of lines that keeps its whole answer as one record. */
function lines(options: Partial<HttpSourceOptions<string>> & Pick<HttpSourceOptions<string>, 'request'>) {
  return httpSource<string>({
    name: 'lines',
    interval: 1,
    parse: (page) => ({ records: [{ topic: 'lines', value: page.text() }] }),
    ...options
  })
}
const values = (batch: { readonly records: readonly { readonly value: Buffer | null }[] } | undefined) =>
  batch?.records.map(({ value }) => String(value))

describe('the polling source', () => {
  it('sends the validators of its last answer, also after a restart, and takes 304 for nothing new', async () => {
    let version = 1
    const changed = new Date('2026-01-02T03:04:05Z').toUTCString()
    const server = await serve(({ headers }, response) => {
      const same = headers['if-none-match'] === `"v${version}"`
      if (headers['if-none-match'] === '"v1"' && same) version = 2
      response.writeHead(same ? 304 : 200, { etag: `"v${version}"`, 'last-modified': changed })
      response.end(same ? '' : `version ${version}`)
    })
    const first = await open(lines({ request: `${server.url}/feed` }))
    const batch = await first.read()
    expect(values(batch)).toEqual(['version 1'])
    const position = batch?.positions.get('') as HttpPosition<string>
    expect(position).toEqual({ url: `${server.url}/feed`, etag: '"v1"', lastModified: changed })
    const second = await open(lines({ request: `${server.url}/feed` }), position)
    expect(values(await second.read())).toEqual(['version 2'])
    expect(server.seen.map(({ headers }) => [headers['if-none-match'], headers['if-modified-since']])).toEqual([
      [undefined, undefined],
      ['"v1"', changed],
      ['"v1"', changed]
    ])
  })

  it('sends no validators to another address, nor for an answer of which there is more', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { etag: '"e"' }).end('x')
    })
    let left = 2
    const source = lines({
      request: (page = '1') => `${server.url}/${page}`,
      parse: (page, at = '1') => ({
        records: [{ topic: 'lines', value: page.text() }],
        position: left > 1 ? at : '2',
        more: --left > 0
      })
    })
    const reader = await open(source)
    for (let i = 0; i < 3; i++) await reader.read()
    expect(server.seen.map(({ path, headers }) => [path, headers['if-none-match']])).toEqual([
      ['/1', undefined],
      ['/1', undefined],
      ['/2', undefined]
    ])
  })

  it('follows links to the next page', async () => {
    const server = await serve(({ path }, response) => {
      const last = path === '/p3'
      const next = path === '/' ? '/p2' : '/p3'
      const link = `</first>; rel="first", <${next}>; title="a, b"; rel="last next"`
      response.writeHead(200, last ? {} : { link }).end(path)
    })
    const source = lines({
      request: (url = `${server.url}/`) => url,
      parse: (page) => ({
        records: [{ topic: 'lines', value: page.text() }],
        position: page.next ?? page.url,
        more: page.next !== undefined
      }),
      interval: '1h'
    })
    const reader = await open(source)
    const read = [await reader.read(), await reader.read(), await reader.read()]
    expect(read.flatMap((batch) => values(batch))).toEqual(['/', '/p2', '/p3'])
    expect(read.at(-1)?.positions.get('')).toEqual({ at: `${server.url}/p3` })
  })

  it('sends what a request says, over the headers of all', async () => {
    const server = await serve(({ method, headers, body }, response) => {
      response.end(`${method} ${headers.authorization} ${headers.accept} ${body}`)
    })
    const source = lines({
      headers: async () => ({ Authorization: 'Bearer t', accept: 'text/plain' }),
      request: () => ({ url: server.url, method: 'POST', body: 'query', headers: { Accept: 'text/csv' } })
    })
    expect(values(await (await open(source)).read())).toEqual(['POST Bearer t text/csv query'])
  })

  it('tries again what passes, not before the server wants it', async () => {
    let asked = 0
    const server = await serve((_, response) => {
      asked++
      response.writeHead(asked === 1 ? 429 : 200, { 'retry-after': '1' }).end('slow down')
    })
    const environment = memoryEnvironment()
    const source = lines({ request: server.url })
    const beganMs = environment.clock.monotonicMs()
    const refused = await open(source, undefined, contextOf(environment))
    await expect(refused.read()).rejects.toThrow(TransientSourceError)
    const again = await open(source, undefined, contextOf(environment))
    await again.read()
    expect(environment.clock.monotonicMs() - beganMs).toBeGreaterThan(900)
  })

  it('fails for good at other statuses, and shows no credentials of the address', async () => {
    const server = await serve(({ headers }, response) => {
      response.writeHead(403).end(`not\n yours, ${headers.authorization}`)
    })
    const reader = await open(lines({ request: server.url.replace('//', '//me:s%C3%A9cret@') }))
    const error = await reader.read().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(HttpStatusError)
    const basic = Buffer.from('me:sécret').toString('base64')
    expect(String(error)).toBe(
      `HttpStatusError: GET ${server.url} was answered with 403: not yours, Basic ${basic}. Check that the credentials in \`headers\` may do that`
    )
  })

  it('says that there is no server, that it is late, or that it says too much', async () => {
    const server = await serve(({ path }, response) => {
      if (path === '/long') response.end('x'.repeat(2000))
      else response.flushHeaders()
    })
    const none = lines({ request: 'http://127.0.0.1:39/' })
    await expect((await open(none)).read()).rejects.toThrow(/no answer to GET .*ECONNREFUSED/)
    const late = lines({ request: `${server.url}/late`, timeout: 30 })
    await expect((await open(late)).read()).rejects.toThrow(/took longer than 30 ms/)
    const long = lines({ request: `${server.url}/long`, longestAnswerBytes: 1000 })
    await expect((await open(long)).read()).rejects.toThrow(HttpAnswerError)
  })

  it('fails for good at a request that cannot be sent', async () => {
    const nowhere = await open(lines({ request: () => '/relative' }))
    await expect(nowhere.read()).rejects.toThrow(HttpRequestError)
    const strange = await open(lines({ request: 'http://here', headers: { 'x-name': '…' } }))
    await expect(strange.read()).rejects.toThrow(HttpRequestError)
  })

  it('stops in the middle of a request', async () => {
    const context = contextOf()
    const server = await serve((_, response) => {
      response.flushHeaders()
      context.stop()
    })
    const reader = await open(lines({ request: server.url }), undefined, context)
    expect(await reader.read()).toEqual({ records: [], positions: new Map() })
  })
})
