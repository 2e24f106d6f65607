import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installedPostgresVersions, missingPostgres } from './binaries.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

describe('versions', () => {
  it('says what to install when a version is not there', () => {
    expect(missingPostgres(9)).toBe('PostgreSQL 9 is none of 18, 17, 16, 15, 14')
  })
})

describe.each(installedPostgresVersions())('PostgreSQL %i', (version) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ version, settings: { work_mem: '1MB' } })
  })
  afterAll(() => server.stop())

  it('runs that version with the settings asked for', async () => {
    const rows = await ask(
      server.url,
      `select current_setting('server_version_num')::int / 10000 v, current_setting('work_mem') m, current_setting('wal_level') w`
    )
    expect(rows).toEqual([{ v: version, m: '1MB', w: 'logical' }])
  })

  it('keeps committed rows and its port through SIGKILL and restarts', async () => {
    const url = await server.createDatabase()
    await ask(url, 'create table t (a int)')
    await ask(url, 'insert into t values (1)')
    const { port } = server
    await server.kill('SIGKILL')
    await expect(ask(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    expect(server.port).toBe(port)
    expect(await ask(url, 'select a from t')).toEqual([{ a: 1 }])
    await server.restart({ work_mem: '2MB' })
    expect(await ask(url, `select a, current_setting('work_mem') m from t`)).toEqual([{ a: 1, m: '2MB' }])
  })

  it('is no part of the group to which a terminal sends Ctrl-C', async () => {
    const main = fileURLToPath(new URL('./interrupted-program.ts', import.meta.url))
    const child = spawn(process.execPath, ['--conditions=source', main, String(version)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const [printed] = await once(child.stdout, 'data')
    expect(String(printed)).toBe('ready\n')
    process.kill(-(child.pid ?? 0), 'SIGINT')
    const [[last], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])
    expect([String(last), code]).toEqual(['still there\n', 0])
  })

  it('leaves nothing behind', async () => {
    const other = await startPostgres({ version })
    await other.stop()
    expect(existsSync(other.dataDirectory)).toBe(false)
  })
})
