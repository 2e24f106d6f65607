/** A program that uses its server after Ctrl-C: run by the test, in a process group of its own. */
import pg from 'pg'
import { startPostgres } from './postgres-server.ts'

const server = await startPostgres({ version: Number(process.argv[2]) })
const client = new pg.Client({ connectionString: server.url })
client.on('error', () => undefined)
await client.connect()
process.once('SIGINT', async () => {
  const { rows } = await client.query(`select 'still there' as it`)
  process.stdout.write(`${rows[0].it}\n`)
  await client.end()
  await server.stop()
})
process.stdout.write('ready\n')
