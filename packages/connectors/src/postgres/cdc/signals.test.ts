import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { PostgresPreflightError } from './errors.ts'
import { isRead, TestDatabase, type TestTable } from './testing/database.ts'

const missing = missingPostgres()

describe.skipIf(missing)(`the signal table and the outbox ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start()
    await database.sql('create table signals (id varchar(42) primary key, type varchar(32), data varchar(2048))')
  })
  afterEach(async () => {
    await database.endTest()
    await database.sql('truncate signals')
  })
  afterAll(() => database?.stop())

  const signal = (id: number, data: unknown, type = 'execute-snapshot') =>
    database.sql('insert into signals values ($1, $2, $3)', [String(id), type, JSON.stringify(data)])

  const tableWithRows = async () => {
    const table = await database.newTable('id int primary key, v int')
    await database.sql(`insert into ${table.name} values (1, 0), (2, 0)`)
    return table
  }

  it.each([
    ['no expression', () => ({ 'data-collections': ['public.(t'] }), 'signal-refused'],
    ['nothing to read', () => ({ 'data-collections': ['public.nowhere'] }), 'signal-refused'],
    ['an unknown type', () => 'run', 'signal-refused'],
    [
      'no condition of SQL',
      (t: TestTable) => ({
        'data-collections': [`public.${t.name}`],
        'additional-conditions': [{ 'data-collection': `public.${t.name}`, filter: 'no such column =' }]
      }),
      'snapshot-refused'
    ],
    [
      'a condition that fails on a row',
      (t: TestTable) => ({
        'data-collections': [`public.${t.name}`],
        'additional-conditions': [{ 'data-collection': `public.${t.name}`, filter: '1 / (id - 2) < 5' }]
      }),
      'snapshot-refused'
    ]
  ])('a signal that cannot be carried out is said, and stops nothing: %s', async (_, dataOf, code) => {
    const table = await tableWithRows()
    const rig = database.newRig()
    const options = { signalTable: 'public.signals', idlePositionMs: 20 }
    await rig.open(table.source(options))
    await rig.until(isRead(rig))
    const data = dataOf(table)
    await (data === 'run' ? signal(1, {}, data) : signal(1, data))
    await rig.until(() => rig.events.some((event) => event.code === code))
    await database.sql(`insert into ${table.name} values (3, 0)`)
    await rig.until(() => rig.table(table.topic).has('{"id":3}'))
    await rig.crash()
    rig.events.length = 0
    await rig.open(table.source(options))
    await signal(2, { 'data-collections': [`public.${table.name}`] })
    await rig.until(isRead(rig))
    expect(rig.events.map((event) => event.code)).not.toContain(code)
  })

  it('a snapshot whose table goes away is over, and is not begun again', async () => {
    const table = await tableWithRows()
    const other = await tableWithRows()
    const rig = database.newRig()
    const source = () => table.source({ tables: [table.name, other.name] })
    const first = source()
    await rig.open(first)
    await rig.until(() => rig.events.filter(({ code }) => code === 'snapshot-finished').length === 2)
    first.signal({ type: 'pause-snapshot' })
    first.signal({ type: 'execute-snapshot', tables: [`public.${other.name}`] })
    await database.sql(`insert into ${table.name} values (3, 0)`)
    const stateOf = (name: string) => Object(rig.positions.get(`snapshot:public.${name}`)).state
    await rig.until(() => stateOf(other.name) === 'waiting')
    await database.sql(`drop table ${other.name}`)
    first.signal({ type: 'resume-snapshot' })
    await database.sql(`insert into ${table.name} values (4, 0)`)
    await rig.until(() => rig.events.some(({ code }) => code === 'snapshot-table-gone'))
    await rig.until(() => stateOf(other.name) === 'done')
    await database.sql(`insert into ${table.name} values (5, 0)`)
    await rig.until(() => rig.table(table.topic).has('{"id":5}'))
    expect(Object(rig.positions.get('stream')).unseen).toBeUndefined()
  })

  it('are to be there, with their columns', async () => {
    const table = await tableWithRows()
    const outbox = await database.newTable('id uuid primary key, kind text, payload jsonb')
    const opening = database.newRig().open(
      table.source({
        signalTable: 'public.nowhere',
        outbox: { table: `public.${outbox.name}`, columns: { headers: ['kind', 'at'] } }
      })
    )
    const error = await opening.then(
      () => undefined,
      (reason) => reason
    )
    expect(error).toBeInstanceOf(PostgresPreflightError)
    expect(
      error.problems.map((problem: { setting: string; found: string }) => [problem.setting, problem.found])
    ).toEqual([
      ['signal table public.nowhere', 'it does not exist'],
      [`outbox public.${outbox.name}`, 'it has no column aggregatetype, aggregateid, at']
    ])
  })

  it('an event goes to a topic that has a name', async () => {
    const outbox = await database.newTable('id uuid primary key, aggregatetype text, aggregateid text, payload jsonb')
    const table = await tableWithRows()
    const rig = database.newRig()
    await rig.open(table.source({ outbox: { table: `public.${outbox.name}` } }))
    await rig.until(isRead(rig))
    await database.sql(`insert into ${outbox.name} values (gen_random_uuid(), 'order/placed é', '7', '{}')`)
    await rig.until(() => rig.of('outbox.event.order_placed__').length === 1)
  })
})
