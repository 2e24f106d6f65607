import { memoryEnvironment } from '@millrace/log'
import { afterEach, describe, expect, it } from 'vitest'
import { TransientSourceError } from '../../errors.ts'
import type { HttpStreamPort } from '../../http-port/http-port.ts'
import type { SourceContext, SourceReader } from '../../source.ts'
import { HttpAnswerError, HttpStatusError } from '../errors.ts'
import { type Answer, LoopbackServer } from '../testing/loopback-server.ts'
import { type SsePosition, type SseSourceOptions, sseSource } from './sse-source.ts'

const EVENTS = { 'content-type': 'text/event-stream' }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function read(answer: Answer, options: Partial<SseSourceOptions> = {}, id?: string) {
  const server = await LoopbackServer.start(answer)
  const controller = new AbortController()
  const context: SourceContext = {
    signal: controller.signal,
    environment: memoryEnvironment(),
    state: { get: () => undefined, set: () => undefined, async *scan() {} },
    report: () => undefined
  }
  const source = sseSource({
    name: 'events',
    url: `${server.url}/events`,
    retry: 1,
    event: ({ type, data }) => ({ topic: type, value: data }),
    ...options
  })
  const reader: SourceReader<SsePosition> = await source.open(new Map(id === undefined ? [] : [['', { id }]]), context)
  closing.push(async () => {
    controller.abort()
    await reader.close()
    await server.close()
  })
  return { server, reader, stop: () => controller.abort() }
}

/** A body of which nothing comes until its request is given up. */
async function* silence(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

describe('the source of server-sent events', () => {
  it('goes on behind the last id, over connections and restarts', async () => {
    let connections = 0
    const { server, reader } = await read(
      (_, response) => {
        connections++
        response.writeHead(200, EVENTS)
        response.end(connections === 1 ? 'id: ü1\nevent: a\ndata: one\n\nid: ü2\ndata: half' : 'data: two\n\n')
      },
      {},
      'ö0'
    )
    const first = await reader.read()
    expect(first?.records).toEqual([{ topic: 'a', key: null, value: Buffer.from('one') }])
    expect(first?.positions).toEqual(new Map([['', { id: 'ü1' }]]))
    const second = await reader.read()
    expect(second?.positions).toEqual(new Map([['', { id: 'ü1' }]]))
    const sent = server.seen.slice(0, 2).map(({ headers }) => headers['last-event-id'])
    expect(sent.map((id) => Buffer.from(String(id), 'latin1').toString('utf8'))).toEqual(['ö0', 'ü1'])
  })

  it('commits an id that comes without data', async () => {
    const { reader } = await read((_, response) => {
      response.writeHead(200, EVENTS).write(': hello\n\nid: 9\n\n')
    })
    expect(await reader.read()).toEqual({ records: [], positions: new Map([['', { id: '9' }]]) })
  })

  it('waits as long as the server says before it connects again', async () => {
    const times: number[] = []
    const { reader } = await read((_, response) => {
      times.push(performance.now())
      response.writeHead(200, EVENTS).end(`retry: 300\nid: ${times.length}\n\n`)
    })
    await reader.read()
    await reader.read()
    expect(times[1] - times[0]).toBeGreaterThan(250)
  })

  it('takes a lost connection, and one on which nothing comes, for something that passes', async () => {
    const cut = await read((_, response) => {
      response.writeHead(200, EVENTS).write('data: x\n\n')
    })
    await cut.reader.read()
    const lost = cut.reader.read()
    cut.server.cut()
    await expect(lost).rejects.toThrow(TransientSourceError)
    // Connected at once, however slow the machine is: only the silence can take too long.
    const mute: HttpStreamPort = async ({ signal }) => ({ status: 200, headers: EVENTS, body: silence(signal) })
    const silent = await read(() => undefined, { silence: 30, http: mute })
    await expect(silent.reader.read()).rejects.toThrow(/nothing came for 30 ms/)
  })

  it('ends at 204, and stops for good at what is no stream of events', async () => {
    const over = await read((_, response) => {
      response.writeHead(204).end()
    })
    expect(await over.reader.read()).toBeUndefined()
    const page = await read((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    })
    await expect(page.reader.read()).rejects.toThrow(HttpAnswerError)
    const gone = await read((_, response) => {
      response.writeHead(410).end('gone')
    })
    await expect(gone.reader.read()).rejects.toThrow(HttpStatusError)
    const busy = await read((_, response) => {
      response.writeHead(503).end('later')
    })
    await expect(busy.reader.read()).rejects.toThrow(/503: later/)
  })

  it('refuses an event that has no end', async () => {
    const { reader } = await read(
      (_, response) => {
        response.writeHead(200, EVENTS).write(`data: ${'x'.repeat(3000)}`)
      },
      { longestEventBytes: 1000 }
    )
    await expect(reader.read()).rejects.toThrow(/longer than longestEventBytes/)
  })

  it('stops while it waits for an event', async () => {
    const { reader, stop } = await read((_, response) => {
      response.writeHead(200, EVENTS).write('data: x\n\n')
    })
    await reader.read()
    const waiting = reader.read()
    stop()
    expect(await waiting).toEqual({ records: [], positions: new Map() })
  })
})
