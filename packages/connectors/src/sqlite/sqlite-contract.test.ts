import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'vitest'
import { jsonRows } from '../rows/json-rows.ts'
import { type SinkUnderTest, sinkContract } from '../testing/sink-contract.ts'
import { sqliteSink } from './sqlite-sink.ts'

/** A database whose trigger notes every change that the sink makes. */
async function makeSink(): Promise<SinkUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'))
  const file = join(directory, 'target.db')
  const database = new DatabaseSync(file, { timeout: 5000 })
  database.exec(`
    CREATE TABLE rows (id TEXT PRIMARY KEY, content TEXT NOT NULL);
    CREATE TABLE changes (change TEXT);
    CREATE TRIGGER inserted AFTER INSERT ON rows BEGIN INSERT INTO changes VALUES (new.id || ' ' || new.content); END;
    CREATE TRIGGER updated AFTER UPDATE ON rows BEGIN INSERT INTO changes VALUES (new.id || ' ' || new.content); END;
    CREATE TRIGGER deleted AFTER DELETE ON rows BEGIN INSERT INTO changes VALUES (old.id || ' null'); END`)
  let withNote = false
  return {
    mode: 'upsert',
    sink: () =>
      sqliteSink({
        name: 'rows',
        file,
        rows: jsonRows(),
        table: 'rows',
        busyTimeoutMs: 1,
        synchronous: 'normal',
        evolveTables: true
      }),
    record: (id, content) => ({
      key: Buffer.from(JSON.stringify({ id })),
      value: content === null ? null : Buffer.from(JSON.stringify(withNote ? { content, note: 'n' } : { content }))
    }),
    poison: () => ({ key: Buffer.from('{"id":"bad"}'), value: Buffer.from('{"content":null}') }),
    read: async () =>
      database
        .prepare('SELECT id, content FROM rows')
        .all()
        .map((row) => [String(row.id), String(row.content)]),
    changes: async () =>
      database
        .prepare('SELECT change FROM changes')
        .all()
        .map((row) => String(row.change)),
    // Another writer that does not let go.
    away: async () => database.exec('BEGIN IMMEDIATE'),
    back: async () => database.exec('ROLLBACK'),
    changeSchema: async () => {
      withNote = true
    },
    close: async () => {
      database.close()
      rmSync(directory, { recursive: true })
    }
  }
}

describe('the contract of sinks, of the SQLite sink', () => {
  for (const { name, run } of sinkContract(makeSink)) it(name, run)
})
