import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TransientSourceError } from '../../errors.ts'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { isRead, TestDatabase, type TestTable } from './testing/database.ts'

const missing = missingPostgres()

/** What takes a table out of the stream for a while, and changes it meanwhile. */
const GAPS: readonly (readonly [what: string, sql: (table: string) => string])[] = [
  [
    'taken out of the publication and put back',
    (t) =>
      `alter publication pub_${t} drop table ${t}; delete from ${t} where id = 1; alter publication pub_${t} add table ${t}`
  ],
  ['taken out of the publication', (t) => `alter publication pub_${t} drop table ${t}; delete from ${t} where id = 1`],
  [
    'dropped and made anew',
    (t) => `drop table ${t}; create table ${t} (id int primary key, v int); insert into ${t} values (2, 0), (3, 0)`
  ]
]

describe.skipIf(missing)(`tables that leave the publication for a while ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start()
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  const newTable = async () => {
    const table = await database.newTable('id int primary key, v int')
    await database.sql(`insert into ${table.name} values (1, 0), (2, 0), (3, 0)`)
    return table
  }
  const rowsOf = (table: TestTable) => database.sql(`select * from ${table.name} order by id`)

  it.each(GAPS)('%s: it is said, while it runs and at the next start', async (_, gap) => {
    const table = await newTable()
    const rig = database.newRig()
    await rig.open(table.source({ checkIntervalMs: 10 }))
    await rig.until(isRead(rig))
    await database.sql(gap(table.name))
    await expect(rig.until(() => false)).rejects.toMatchObject({ reason: 'unpublished' })
    await rig.crash()
    await expect(rig.open(table.source())).rejects.toMatchObject({ reason: 'unpublished' })
  })

  it.each(GAPS)('%s: all is read again behind a truncate when told to', async (_, gap) => {
    const table = await newTable()
    const rig = database.newRig()
    const options = { onLostSlot: 'resnapshot' as const, checkIntervalMs: 10 }
    await rig.open(table.source(options))
    await rig.until(isRead(rig))
    await database.sql(gap(table.name))
    await expect(rig.until(() => false)).rejects.toThrow(TransientSourceError)
    await rig.crash()
    rig.events.length = 0
    await rig.open(table.source(options))
    await rig.until(isRead(rig))
    await database.sql(`update ${table.name} set v = 1 where id = 2`)
    await rig.until(() => rig.table(table.topic).get('{"id":2}')?.v === 1)
    expect([...rig.table(table.topic).values()].sort((x, y) => x.id - y.id)).toEqual(await rowsOf(table))
    await rig.close()
    await rig.open(table.source(options))
    await database.sql(`insert into ${table.name} values (9, 9)`)
    await rig.until(() => rig.table(table.topic).has('{"id":9}'))
    expect(rig.of(table.topic).filter(({ value }) => value?.op === 't').length).toBe(1)
  })

  it('says that a table is gone, and knows it when it comes back', async () => {
    const table = await newTable()
    const rig = database.newRig()
    await rig.open(table.source({ checkIntervalMs: 10 }))
    await rig.until(isRead(rig))
    await database.sql(`drop table ${table.name}`)
    await rig.until(() => rig.events.some(({ code }) => code === 'table-gone'))
    await database.sql(`create table ${table.name} (id int primary key, v int)`)
    await expect(rig.until(() => false)).rejects.toMatchObject({ reason: 'unpublished' })
    expect(rig.events.filter(({ code }) => code === 'table-gone').length).toBe(1)
  })

  it('a signal for a snapshot, and one to stop it, leave what is known of the table', async () => {
    const table = await newTable()
    const rig = database.newRig()
    const source = table.source()
    await rig.open(source)
    await rig.until(isRead(rig))
    const membership = (split: unknown) => Object(split).membership
    const before = membership(rig.positions.get(`snapshot:public.${table.name}`))
    expect(before).toMatch(/^\d+:\d+$/)
    source.signal({ type: 'pause-snapshot' })
    source.signal({ type: 'execute-snapshot', tables: [`public.${table.name}`] })
    source.signal({ type: 'stop-snapshot' })
    await database.sql(`insert into ${table.name} values (9, 9)`)
    await rig.until(() => rig.table(table.topic).has('{"id":9}'))
    await rig.until(() => rig.events.some(({ code }) => code === 'signal-stop-snapshot'))
    await database.sql(`insert into ${table.name} values (10, 10)`)
    await rig.until(() => rig.table(table.topic).has('{"id":10}'))
    expect(membership(rig.positions.get(`snapshot:public.${table.name}`))).toBe(before)
  })
})
