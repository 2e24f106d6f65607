import pg from 'pg'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { jsonRows } from '../../rows/json-rows.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../../testing/embedded-postgres/index.ts'
import { type SinkUnderTest, sinkContract } from '../../testing/sink-contract.ts'
import { postgresSink } from './postgres-sink.ts'

describe.skipIf(missingPostgres() !== undefined)('the contract of sinks, of the PostgreSQL sink', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  /** A database whose trigger notes every change that the sink makes. */
  async function makeSink(): Promise<SinkUnderTest> {
    const connection = await server.createDatabase()
    const client = new pg.Client(connection)
    await client.connect()
    await client.query(`
      CREATE TABLE rows (id text PRIMARY KEY, content text NOT NULL);
      CREATE TABLE changes (change text);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO changes VALUES (CASE TG_OP WHEN 'DELETE' THEN old.id || ' null' ELSE new.id || ' ' || new.content END);
        RETURN NULL;
      END $$;
      CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON rows FOR EACH ROW EXECUTE FUNCTION note()`)
    const column = async (sql: string) => (await client.query<{ a: string; b: string }>(sql)).rows
    const sinks = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'millrace'`
    let withNote = false
    return {
      mode: 'upsert',
      sink: () =>
        postgresSink({
          name: 'rows',
          driver: pg,
          connection: { connectionString: connection, options: '-c lock_timeout=20ms' },
          rows: jsonRows(),
          table: 'rows',
          evolveTables: true
        }),
      record: (id, content) => ({
        key: Buffer.from(JSON.stringify({ id })),
        value: content === null ? null : Buffer.from(JSON.stringify(withNote ? { content, note: 'n' } : { content }))
      }),
      poison: () => ({ key: Buffer.from('{"id":"bad"}'), value: Buffer.from('{"content":null}') }),
      read: async () => (await column('SELECT id AS a, content AS b FROM rows')).map(({ a, b }) => [a, b]),
      changes: async () => (await column('SELECT change AS a FROM changes')).map(({ a }) => a),
      // The lock holds every write up, and the server cancels it.
      away: async () => {
        await client.query('BEGIN; LOCK TABLE rows IN ACCESS EXCLUSIVE MODE')
        await client.query(`SELECT pg_terminate_backend(pid) ${sinks}`)
      },
      back: async () => {
        await client.query('ROLLBACK')
      },
      changeSchema: async () => {
        withNote = true
      },
      close: () => client.end()
    }
  }

  for (const { name, run } of sinkContract(makeSink)) it(name, run)
})
