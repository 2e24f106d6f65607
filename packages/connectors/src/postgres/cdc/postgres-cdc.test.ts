import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres, type PostgresServer, startPostgres } from '../../testing/embedded-postgres/index.ts'
import type { PostgresCdcOptions } from './options.ts'
import type { CdcPosition } from './position.ts'
import { postgresCdc } from './postgres-cdc.ts'
import { SourceRig } from './testing/source-rig.ts'

const missing = missingPostgres()

describe.skipIf(missing)(`postgresCdc ${missing ?? ''}`, () => {
  let server: PostgresServer
  let client: pg.Client
  let url: string
  let rigs: SourceRig<CdcPosition>[] = []
  let number = 0

  beforeAll(async () => {
    server = await startPostgres()
    url = await server.createDatabase('app')
    client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
  })
  afterEach(async () => {
    for (const rig of rigs) await rig.close()
    rigs = []
  })
  afterAll(async () => {
    await client?.end()
    await server?.stop()
  })

  const newRig = () => {
    const rig = new SourceRig<CdcPosition>()
    rigs.push(rig)
    return rig
  }
  const source = (tables: string[], more: Partial<PostgresCdcOptions> = {}) =>
    postgresCdc({
      driver: pg,
      connection: url,
      name: 'app',
      slot: `slot_${number}`,
      publication: `pub_${number}`,
      tables,
      ...more
    })
  const newTable = async (columns: string) => {
    const name = `t${++number}`
    await client.query(`create table ${name} (${columns})`)
    return name
  }
  const finished = (rig: SourceRig<CdcPosition>) => () => rig.events.some((event) => event.code === 'snapshot-finished')

  it('reads the rows that are there, then every change, as Debezium writes them', async () => {
    const table = await newTable('id int primary key, name text, n int8')
    await client.query(`insert into ${table} values (1, 'one "quoted"', 9007199254740993), (2, null, -1)`)
    const rig = newRig()
    await rig.open(source([table]))
    await rig.until(finished(rig))
    const topic = `app.public.${table}`
    expect(rig.of(topic).map((record) => [record.key, record.value.op, record.value.after.name])).toEqual([
      ['{"id":1}', 'r', 'one "quoted"'],
      ['{"id":2}', 'r', null]
    ])
    expect(rig.of(topic)[0].raw.value?.toString()).toContain('"n":9007199254740993')
    await client.query(`insert into ${table} values (3, 'three', 3)`)
    await client.query(`update ${table} set name = 'two' where id = 2`)
    await client.query(`delete from ${table} where id = 1`)
    await client.query(`update ${table} set id = 30 where id = 3`)
    await client.query(`truncate ${table}`)
    await rig.until(() => rig.of(topic).some((record) => record.value?.op === 't'))
    const changes = rig.of(topic).slice(2)
    expect(changes.map((record) => [record.key, record.value?.op, record.value?.before, record.value?.after])).toEqual([
      ['{"id":3}', 'c', null, { id: 3, name: 'three', n: 3 }],
      ['{"id":2}', 'u', null, { id: 2, name: 'two', n: -1 }],
      ['{"id":1}', 'd', { id: 1 }, null],
      ['{"id":1}', undefined, undefined, undefined],
      ['{"id":3}', 'd', { id: 3 }, null],
      ['{"id":3}', undefined, undefined, undefined],
      ['{"id":30}', 'c', null, { id: 30, name: 'three', n: 3 }],
      [null, 't', null, null]
    ])
    expect(changes.map((record) => record.raw.partition)).toEqual([...Array(7).fill(undefined), 'all'])
    expect(changes[4].raw.headers?.map((header) => [header.key, header.value?.toString()])).toEqual([
      ['__debezium.newkey', '{"id":30}']
    ])
    expect(changes[6].raw.headers?.map((header) => [header.key, header.value?.toString()])).toEqual([
      ['__debezium.oldkey', '{"id":3}']
    ])
    const { source: block, ...envelope } = changes[0].value
    expect(Object.keys(envelope)).toEqual(['before', 'after', 'transaction', 'op', 'ts_ms', 'ts_us', 'ts_ns'])
    expect(block).toMatchObject({
      connector: 'postgresql',
      name: 'app',
      snapshot: 'false',
      db: 'app',
      schema: 'public',
      table
    })
    expect(Object.keys(block)).toEqual(
      'version connector name ts_ms snapshot db sequence ts_us ts_ns schema table txId lsn xmin'.split(' ')
    )
    expect(JSON.parse(String(block.sequence))[1]).toBe(String(block.lsn))
  })
})
