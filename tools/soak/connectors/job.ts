/**
 * All of it in one process, as an embedded log wants it: the source, the views, the sinks. `job.ts SETTINGS` (JSON of {@link JobSettings}). Says
 * on standard output what was committed; takes commands, one a line, on standard input: `kill STEP PASSES`, `restart CONNECTOR`, `snapshots`, `dump FILE`,
 * `close`.
 */
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import {
  type Connector,
  type ConnectorsApp,
  connectorsControl,
  debeziumRows,
  jsonRows,
  type RecordTransform,
  runConnectors,
  stringifyLosslessly
} from '@millrace/connectors'
import { postgresCdc, postgresSink } from '@millrace/connectors/postgres'
import { openLog } from '@millrace/log'
import { runStreams, type StreamsApp } from '@millrace/streams'
import pg from 'pg'
import type { JobSettings } from './job-settings.ts'
import { ONE_PARTITION, PARTITIONS } from './shop.ts'
import { shopTopology } from './topology.ts'

const settings: JobSettings = JSON.parse(process.argv[2] ?? '{}')
const backoff = { firstMs: 20, maxMs: 500 }
const crashes = { count: 1000, within: '1m' } as const
/** Types in the mirror of columns that `customers` gets on the way. */
const EVOLVED = { vip: 'boolean', tier: 'text', handle: 'text' }
let killStep: string | undefined
let passesLeft = 0
/** Of the source's transaction under way. */
let holdsSnapshotRows = false

const say = (line: string) => process.stdout.write(`${line}\n`)

function passed(step: string): void {
  if (step === killStep && passesLeft-- <= 0) process.kill(process.pid, 'SIGKILL')
}

/** Rows of a snapshot are on the log for good: from now on, so that each life gets further than the one before. */
function killLater(): void {
  if (settings.kill === undefined || killStep !== undefined) return
  killStep = settings.kill.step
  passesLeft = settings.kill.passes
}

const log = await openLog({ dir: settings.directory })
const connectors = await startConnectors()
const app = settings.target === undefined ? undefined : await startViews()
say('running')

for await (const line of createInterface({ input: process.stdin })) {
  const [command, first = '', second = '0'] = line.split(' ')
  if (command === 'kill') {
    killStep = first
    passesLeft = Number(second)
  } else if (command === 'restart') void connectors.connector(first).restart()
  else if (command === 'snapshots') await saySnapshots()
  else if (command === 'dump' && app) await dump(app, first)
  else if (command === 'close') break
}
await app?.close()
await connectors.close()
await log.close()
process.exit(0)

async function startConnectors(): Promise<ConnectorsApp> {
  if (settings.target !== undefined) await createTopics()
  const running = await runConnectors({
    log,
    connectors: [sourceConnector(), ...(settings.target === undefined ? [] : sinkConnectors(settings.target))],
    trace: (step, name) => {
      if (step === 'source:transaction-begun') holdsSnapshotRows = false
      if (settings.kill === undefined || holdsSnapshotRows) passed(step)
      if (step === 'source:state-applied' && holdsSnapshotRows) killLater()
      if (step === 'source:committed' || step === 'sink:written') say(`progress ${name}`)
    }
  })
  for (const one of running.connectors) {
    one.errors$.subscribe(({ outcome, error }) => say(`error ${one.name} ${outcome} ${describe(error)}`))
    one.events$.subscribe(({ code, message }) => say(`event ${one.name} ${code} ${message}`))
    one.state$.subscribe((state) => {
      if (state.status === 'failed' || state.status === 'fenced') say(`failed ${one.name} ${state.status}`)
    })
  }
  return running
}

async function createTopics(): Promise<void> {
  const admin = log.admin()
  for (const table of ['customers', 'orders', 'items', 'kinds']) {
    const name = `shop.public.${table}`
    await admin.ensureTopic({ name, partitions: ONE_PARTITION.has(name) ? 1 : PARTITIONS })
  }
  for (const name of ['enriched', 'regions']) await admin.ensureTopic({ name, partitions: PARTITIONS })
  await admin.close()
}

function sourceConnector(): Connector {
  const source = postgresCdc({
    driver: pg,
    connection: settings.source,
    name: 'shop',
    tables: ['public.*'],
    chunkRows: settings.chunkRows,
    chunkBytes: settings.chunkRows * 100,
    batchRecords: 500,
    spillAboveBytes: 2_000_000,
    spillDirectory: settings.directory,
    checkIntervalMs: 500,
    idlePositionMs: 500
  })
  const { transactionRecords } = settings
  const noticing: RecordTransform = (record) => {
    holdsSnapshotRows ||= record.value?.includes('"op":"r"') ?? false
    return record
  }
  return {
    ...(settings.kill ? { transforms: [noticing] } : {}),
    source,
    backoff,
    crashes,
    commitInterval: 50,
    ...(transactionRecords ? { transactionRecords } : {})
  }
}

function sinkConnectors(connection: string): Connector[] {
  const target = { driver: pg, connection }
  const supervised = { batchRecords: 500, backoff, crashes }
  return [
    {
      sink: postgresSink({ ...target, name: 'results', rows: jsonRows() }),
      topics: ['enriched', 'regions'],
      ...supervised
    },
    {
      sink: postgresSink({
        ...target,
        name: 'history',
        rows: jsonRows(),
        table: 'history',
        mode: 'insert',
        deletes: false
      }),
      topics: ['enriched'],
      ...supervised
    },
    {
      sink: postgresSink({
        ...target,
        name: 'mirror',
        rows: debeziumRows(),
        evolveTables: true,
        columnTypes: EVOLVED
      }),
      topics: ['shop.public.customers', 'shop.public.kinds'],
      ...supervised
    }
  ]
}

async function startViews(): Promise<StreamsApp> {
  const views = await runStreams(shopTopology, {
    log,
    commitInterval: 100,
    trace: (step) => {
      passed(step)
      if (step === 'commit:published') say('progress views')
    }
  })
  views.done.catch((error: unknown) => say(`failed views ${describe(error)}`))
  await views.running
  return views
}

/** Says which tables' snapshots are in the log to their end. */
async function saySnapshots(): Promise<void> {
  const listing = await connectorsControl(log).offsets('shop')
  const positions = listing.type === 'source' ? listing.positions : []
  const done = positions.filter(({ position }) => (position as { state?: string }).state === 'done')
  say(`snapshots ${done.map(({ split }) => split).join(' ')}`)
}

/** Writes the views' rows as they are queried: `["store", key, row]` a line. */
async function dump(views: StreamsApp, file: string): Promise<void> {
  const out = createWriteStream(file)
  for (const store of ['customers', 'orders', 'items', 'enriched', 'regions']) {
    for await (const { key, value } of views.store(store).all()) {
      if (!out.write(`${stringifyLosslessly([store, key, value])}\n`)) {
        await new Promise((resolve) => out.once('drain', resolve))
      }
    }
  }
  out.end()
  await finished(out)
  say('dumped')
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.stack}` : String(error)
  const cause = error instanceof Error && error.cause !== undefined ? ` <- ${describe(error.cause)}` : ''
  return `${text}${cause}`.replaceAll('\n', ' | ').slice(0, 600)
}
