import { describe, expect, it } from 'vitest'
import { errorTable } from './error-table.ts'
import { ErrorCode, errorFromCode, errorName, isRetriable, ProtocolError, protocolError } from './errors.ts'

describe('protocol errors', () => {
  it('have one number each, without a gap', () => {
    const codes = Object.values(errorTable).map((entry) => entry.errorCode)
    expect(codes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: codes.length }, (_, i) => i - 1))
  })

  it('say what and where', () => {
    const error = protocolError('OUT_OF_ORDER_SEQUENCE_NUMBER', { topic: 'clicks', partition: 3, offset: 9 })
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).toMatchObject({
      errorCode: 45,
      errorName: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      code: 'KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER',
      retriable: false,
      topic: 'clicks',
      partition: 3,
      offset: 9
    })
    expect(error.message).toMatch(/^OUT_OF_ORDER_SEQUENCE_NUMBER \(45\) at clicks-3 offset 9: the batch/)
    expect(protocolError('NOT_COORDINATOR', { message: 'ask again' }).message).toBe('NOT_COORDINATOR (16): ask again')
  })

  it('are rebuilt from a code, known or not', () => {
    expect(errorFromCode(51).retriable).toBe(true)
    expect(errorFromCode(9999)).toMatchObject({ errorCode: 9999, errorName: 'UNKNOWN_SERVER_ERROR', retriable: false })
    expect(errorName(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(isRetriable(ErrorCode.FENCED_LEADER_EPOCH)).toBe(true)
    expect(isRetriable(ErrorCode.PRODUCER_FENCED)).toBe(false)
  })
})
