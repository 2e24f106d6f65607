import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { realEnvironment } from './real-environment.ts'

const { network } = realEnvironment()

it('carries bytes both ways over TCP and tells the end', async () => {
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
    connection.onData((chunk) => connection.write([chunk, Buffer.from('!')]))
  })
  const connection = await network.connect(listener.address)
  const echoed: Buffer[] = []
  const answered = new Promise<void>((resolve) => {
    connection.onData((chunk) => {
      echoed.push(chunk)
      if (Buffer.concat(echoed).toString().endsWith('!')) resolve()
    })
  })
  connection.write([Buffer.from('hello '), Buffer.from('world')])
  await answered
  expect(Buffer.concat(echoed).toString()).toBe('hello world!')
  const closed = new Promise((resolve) => connection.onClose(resolve))
  await listener.close()
  expect(await closed).toBe(undefined)
  await expect(network.connect(listener.address)).rejects.toMatchObject({
    code: 'MILLRACE_NETWORK',
    systemCode: 'ECONNREFUSED',
    port: listener.address.port
  })
})

it('takes a path for the host of a Unix socket', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-socket-'))
  const address = { host: join(directory, 'echo.sock'), port: 0 }
  const listener = await network.listen(address, (connection) =>
    connection.onData((chunk) => connection.write([chunk]))
  )
  const connection = await network.connect(listener.address)
  const answered = new Promise<string>((resolve) => connection.onData((chunk) => resolve(chunk.toString())))
  connection.write([Buffer.from('hello')])
  expect(await answered).toBe('hello')
  await listener.close()
  await expect(network.connect(address)).rejects.toMatchObject({ systemCode: 'ENOENT', host: address.host })
  rmSync(directory, { recursive: true })
})
