import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { type SourceUnderTest, sourceContract } from '../../testing/source-contract.ts'
import { postgresCdc } from './postgres-cdc.ts'
import { TestDatabase } from './testing/database.ts'

const missing = missingPostgres()

describe.skipIf(missing)(`the contract of sources ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start()
  })
  afterAll(() => database?.stop())

  async function make(): Promise<SourceUnderTest> {
    const table = await database.newTable('id bigserial primary key, thing text')
    await database.sql(`create publication pub_${table.name} for table ${table.name}`)
    await database.sql(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [table.slot])
    const terminate = () =>
      database.sql(
        `select pg_terminate_backend(active_pid, 60000) from pg_replication_slots where slot_name = $1 and active`,
        [table.slot]
      )
    return {
      source: () =>
        postgresCdc({
          driver: pg,
          connection: database.url,
          name: table.name,
          slot: table.slot,
          publication: `pub_${table.name}`,
          tables: [table.name],
          snapshot: 'never',
          batchRecords: 100
        }),
      topics: [`${table.name}.public.${table.name}`],
      async produce(count) {
        const things = Array.from({ length: count }, () => randomUUID())
        await database.sql(`insert into ${table.name} (thing) select * from unnest($1::text[])`, [things])
        return things
      },
      idOf: ({ value }) => (value === null ? undefined : JSON.parse(value.toString()).after.thing),
      kill: async () => void (await terminate()),
      close: async () => {
        await terminate()
        await database.sql('select pg_drop_replication_slot($1)', [table.slot])
      }
    }
  }

  for (const { name, run } of sourceContract(make)) it(name, run)
})
