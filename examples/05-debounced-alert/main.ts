/** `npm run example -- 05 [--data DIRECTORY]` */
import type { Log } from '@millrace/log'
import type { StreamsApp } from '@millrace/streams'
import { CommittedReader } from '../committed-reader.ts'
import { example } from '../example.ts'
import { onLog, whileRunning } from '../on-log.ts'
import { type Burst, debouncedAlert, type SignIn } from './topology.ts'

const USAGE = `Users fail to sign in, again and again; whoever does gets one alert, once it is quiet.

  npm run example -- 05 [options]

  --data DIR    keep the log in this directory; the next run is the next day    (in memory)
`
const NOON_MS = Date.UTC(2026, 0, 1, 12)
const DAY_MS = 24 * 60 * 60_000
/** What happens is of a day long ago, which is no reason to delete it. */
const CONFIGS = { 'retention.ms': '-1' }

/** In the order in which they happen; before the restart, and after it. */
const BEFORE: readonly (readonly [user: string, second: number, ok: boolean])[] = [
  ['ada', 0, false],
  ['ada', 4, false],
  ['grace', 5, false],
  ['ada', 9, false],
  ['grace', 20, true],
  ['ada', 30, false]
]
const AFTER: typeof BEFORE = [
  ['ada', 45, false],
  ['linus', 70, true],
  ['linus', 90, true]
]

await example(USAGE, { data: { type: 'string' } }, ({ data }, interrupted) =>
  onLog(data, async (log) => {
    const life = { log, interrupted, createTopics: { partitions: 1, configs: CONFIGS }, internalTopicConfigs: CONFIGS }
    let noonMs = NOON_MS
    await whileRunning(debouncedAlert, life, async (app) => {
      noonMs = await nextNoon(log)
      await tell(log, app, { signIns: BEFORE, noonMs })
    })
    console.log('          the application stops in the middle of the burst, and starts again')
    await whileRunning(debouncedAlert, life, (app) => tell(log, app, { signIns: AFTER, noonMs }))
  })
)

/** Lets users sign in, and prints that and the alerts that come of it. */
async function tell(
  log: Log,
  app: StreamsApp,
  { signIns, noonMs }: { readonly signIns: typeof BEFORE; readonly noonMs: number }
): Promise<void> {
  app.store<string, Burst>('alerts').changes$.subscribe(({ key, value, timestamp }) => {
    if (value === undefined) return
    const span = `${clock(value.fromMs)} to ${clock(value.toMs)}`
    console.log(`${clock(timestamp)}  ALERT: ${key} failed ${value.failures} times, ${span}`)
  })
  await app.caughtUp()
  const producer = log.producer()
  for (const [user, second, ok] of signIns) {
    const signIn: SignIn = { ok, at: noonMs + second * 1_000 }
    await producer.send({ topic: 'sign-ins', key: Buffer.from(user), value: Buffer.from(JSON.stringify(signIn)) })
    console.log(`${clock(signIn.at)}  ${user} ${ok ? 'signs in' : 'fails to sign in'}`)
  }
  await producer.close()
  await app.caughtUp()
}

/** A day later than what is there from an earlier run. */
async function nextNoon(log: Log): Promise<number> {
  const reader = await CommittedReader.open(log, 'sign-ins')
  let noonMs = NOON_MS
  for (const { value } of await reader.readOn()) {
    const { at }: SignIn = JSON.parse(value)
    while (at >= noonMs) noonMs += DAY_MS
  }
  await reader.close()
  return noonMs
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}
