import { simulatedEnvironment } from '@millrace/log/testing'
import { describe, expect, it } from 'vitest'
import { TransientSourceError } from '../../../errors.ts'
import type { PostgresQuery } from '../../driver.ts'
import type { CdcClient, ProtocolStatement } from '../connection.ts'
import { ReplicationStream } from './replication-stream.ts'

const KEEPALIVE = Buffer.concat([Buffer.from('k'), Buffer.alloc(17)])

/** A server that answers statuses which ask for it, while it is there. */
function fakeServer() {
  const server = { isThere: true, asked: 0, ended: 0, isPaused: false }
  let statement: ProtocolStatement | undefined
  const client: Pick<CdcClient, 'query' | 'end'> = {
    query(given: PostgresQuery | ProtocolStatement) {
      if (!('submit' in given)) throw new TypeError('expected the replication')
      statement = given
      given.submit({
        stream: {
          pause: () => {
            server.isPaused = true
          },
          resume: () => {
            server.isPaused = false
          }
        },
        query: () => undefined,
        once: (_, begun) => begun(),
        endCopyFrom: () => undefined,
        sendCopyFromChunk(status: Buffer) {
          if (status[33] !== 1) return
          server.asked += 1
          if (server.isThere && !server.isPaused) statement?.handleCopyData({ chunk: KEEPALIVE })
        }
      })
      return new Promise<never>(() => undefined)
    },
    end() {
      server.ended += 1
      return new Promise<void>(() => undefined)
    }
  }
  return { server, client: client as CdcClient, send: (chunk: Buffer) => statement?.handleCopyData({ chunk }) }
}

const request = {
  slot: 's',
  publication: 'p',
  startLsn: 0,
  streaming: true,
  statusIntervalMs: 10_000,
  silenceMs: 120_000
}

describe('a replication connection', () => {
  it('is taken for lost when the server is gone without a word, and closes although nobody answers', async () => {
    const environment = simulatedEnvironment({ seed: 1 })
    const { server, client } = fakeServer()
    const stream = new ReplicationStream(client, environment, request)
    await environment.world.run(stream.start())
    await environment.world.runFor(3_600_000)
    expect(server.asked).toBeGreaterThanOrEqual(359)
    while (stream.isReady) stream.take()
    server.isThere = false
    const arrival = stream.arrival()
    await environment.world.run(arrival)
    expect(environment.world.nowMs).toBeLessThan(3_600_000 + 160_000)
    expect(() => stream.take()).toThrow(TransientSourceError)
    await environment.world.run(stream.close())
    expect(server.ended).toBe(1)
  })

  it('is not lost while it is this side that does not read', async () => {
    const environment = simulatedEnvironment({ seed: 1 })
    const { server, client, send } = fakeServer()
    const stream = new ReplicationStream(client, environment, request)
    await environment.world.run(stream.start())
    const data = Buffer.alloc(9 * 1024 * 1024)
    data[0] = 'w'.charCodeAt(0)
    send(data)
    expect(server.isPaused).toBe(true)
    await environment.world.runFor(3_600_000)
    expect(stream.take()?.bytes.length).toBe(data.length - 25)
    expect(server.isPaused).toBe(false)
    await environment.world.runFor(100_000)
    while (stream.isReady) stream.take()
    await environment.world.run(stream.close())
  })
})
