import { describe, expect, it } from 'vitest'
import { simulatedEnvironment } from '../testing/simulated-world.ts'
import { protocolError } from '../wire/errors.ts'
import { backoffMs, retry } from './backoff.ts'
import { ClientTimeoutError } from './errors.ts'
import { isRetriableFailure } from './request-failure.ts'

const policy = { what: 'asking', timeoutMs: 60, backoff: { firstMs: 1, maxMs: 8 }, retriable: isRetriableFailure }

describe('backing off', () => {
  it('doubles up to its bound', () => {
    const waits = [1, 2, 3, 4, 5, 60].map((attempt) => backoffMs(attempt, { firstMs: 1, maxMs: 8 }))
    expect(waits).toEqual([1, 2, 4, 8, 8, 8])
  })
})

describe('repeating a request', () => {
  it('goes on while that may help', async () => {
    let attempts = 0
    const { world, ...environment } = simulatedEnvironment({ seed: 1 })
    const asked = retry(environment, policy, async () => {
      if (++attempts < 4) throw protocolError('NOT_COORDINATOR')
      return 'done'
    })
    const result = await world.run(asked)
    expect([result, attempts]).toEqual(['done', 4])
  })

  it('stops at once where it cannot help', async () => {
    let attempts = 0
    const refused = retry(simulatedEnvironment({ seed: 1 }), policy, async () => {
      attempts++
      throw protocolError('INVALID_GROUP_ID')
    })
    await expect(refused).rejects.toThrow('INVALID_GROUP_ID')
    expect(attempts).toBe(1)
  })

  it('gives up when time is over, saying what was tried and what came last', async () => {
    const last = protocolError('COORDINATOR_LOAD_IN_PROGRESS')
    const { world, ...environment } = simulatedEnvironment({ seed: 1 })
    const asked = retry(environment, policy, () => Promise.reject(last))
    const error = await world.run(asked.catch((reason) => reason))
    expect(error).toBeInstanceOf(ClientTimeoutError)
    expect(error.cause).toBe(last)
    expect(error.message).toMatch(/^asking did not succeed within 60 ms \(10 attempts\): COORDINATOR_LOAD_IN_PROGRESS/)
  })
})
