import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../environment/memory-environment.ts'
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
    const result = await retry(memoryEnvironment(), policy, async () => {
      if (++attempts < 4) throw protocolError('NOT_COORDINATOR')
      return 'done'
    })
    expect([result, attempts]).toEqual(['done', 4])
  })

  it('stops at once where it cannot help', async () => {
    let attempts = 0
    const refused = retry(memoryEnvironment(), policy, async () => {
      attempts++
      throw protocolError('INVALID_GROUP_ID')
    })
    await expect(refused).rejects.toThrow('INVALID_GROUP_ID')
    expect(attempts).toBe(1)
  })

  it('gives up when time is over, saying what was tried and what came last', async () => {
    const last = protocolError('COORDINATOR_LOAD_IN_PROGRESS')
    const error = await retry(memoryEnvironment(), policy, () => Promise.reject(last)).catch((reason) => reason)
    expect(error).toBeInstanceOf(ClientTimeoutError)
    expect(error.cause).toBe(last)
    expect(error.message).toMatch(/^asking did not succeed within 60 ms \(\d+ attempts\): COORDINATOR_LOAD_IN_PROGRESS/)
  })
})
