import { describe, expect, it } from 'vitest'
import { TransientSinkError } from '../../errors.ts'
import type { PostgresClient, PostgresDriver, PostgresQuery } from '../driver.ts'
import { PostgresSession } from './session.ts'

/** A server that writes down what each connection was asked. */
function fakeServer() {
  const connections: { readonly texts: string[]; readonly lose: () => void }[] = []
  class Client implements PostgresClient {
    readonly #texts: string[] = []
    #onError: (error: Error) => void = () => undefined

    async connect() {
      connections.push({ texts: this.#texts, lose: () => this.#onError(new TypeError('terminating connection')) })
    }

    async query({ text }: PostgresQuery) {
      this.#texts.push(text)
      return { rows: [], rowCount: 0 }
    }

    async end() {}

    on(_event: 'error', listener: (error: Error) => void) {
      this.#onError = listener
    }
  }
  const driver: PostgresDriver = { Client }
  return { driver, connections }
}

describe('a session of PostgreSQL', () => {
  it('never goes on with a transaction on another connection', async () => {
    const { driver, connections } = fakeServer()
    let breaks = 0
    const session = new PostgresSession(driver, 'postgres://here/db', () => breaks++)
    const cut = session.transaction(async () => {
      await session.query('UPDATE offsets')
      // Said between two statements, of which neither fails of it.
      connections[0].lose()
      await session.query('INSERT INTO rows')
    })
    await expect(cut).rejects.toBeInstanceOf(TransientSinkError)
    expect(connections.map(({ texts }) => texts)).toEqual([['BEGIN', 'UPDATE offsets']])
    expect(breaks).toBe(1)
    await session.transaction(() => session.query('INSERT INTO rows'))
    expect(connections[1].texts).toEqual(['BEGIN', 'INSERT INTO rows', 'COMMIT'])
    await session.close()
  })
})
