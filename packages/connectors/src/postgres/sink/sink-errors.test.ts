import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { SinkSetupError, TransientSinkError } from '../../errors.ts'
import { TargetAccessError, TargetRefusedError } from '../../sql/errors.ts'
import { asSinkError } from './sink-errors.ts'

function serverError(code: string, message = 'no'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, severity: 'ERROR', detail: 'the detail' })
}

describe('errors of PostgreSQL', () => {
  it.each([
    ['53100', 'disk full'],
    ['53300', 'too many connections'],
    ['57P01', 'shut down'],
    ['40P01', 'deadlock'],
    ['08006', 'connection lost'],
    ['55P03', 'lock not to be had'],
    ['25006', 'a standby']
  ])('%s (%s) may pass', (code) => {
    expect(asSinkError(serverError(code), 'writing')).toBeInstanceOf(TransientSinkError)
  })

  it.each([
    ['28P01', /mend user and password/],
    ['3D000', /create the database/],
    ['42501', /grant the privilege/]
  ])('%s is for the operator to mend', (code, advice) => {
    const error = asSinkError(serverError(code), 'writing')
    expect(error).toBeInstanceOf(TargetAccessError)
    expect(error).toBeInstanceOf(SinkSetupError)
    expect(String(error)).toMatch(advice)
  })

  it.each(['22P02', '23505', '23514'])('%s comes again with the same record', (code) => {
    const error = asSinkError(serverError(code), 'writing')
    expect(error).toBeInstanceOf(TargetRefusedError)
    expect(error).toMatchObject({ targetCode: code, message: expect.stringContaining('the detail') })
  })

  it('a plan that its table outlived is made anew', () => {
    const stale = serverError('0A000', 'cached plan must not change result type')
    expect(asSinkError(stale, 'writing')).toBeInstanceOf(TransientSinkError)
  })

  it('a connection that broke may be made again', () => {
    const broken = Object.assign(new pg.DatabaseError('read ECONNRESET', 0, 'error'), { code: 'ECONNRESET' })
    expect(asSinkError(broken, 'writing')).toBeInstanceOf(TransientSinkError)
  })
})
