/** `npm run example -- 05` */
import { openLog } from '@millrace/log'
import { runStreams, type StreamsApp } from '@millrace/streams'
import { processed } from '../processed.ts'
import { type Burst, debouncedAlert, type SignIn } from './topology.ts'

const NOON_MS = Date.UTC(2026, 0, 1, 12)

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

const log = await openLog('memory:')
const producer = log.producer()
const send = async (signIns: typeof BEFORE): Promise<void> => {
  for (const [user, second, ok] of signIns) {
    const signIn: SignIn = { ok, at: NOON_MS + second * 1_000 }
    await producer.send({ topic: 'sign-ins', key: Buffer.from(user), value: Buffer.from(JSON.stringify(signIn)) })
    console.log(`${clock(signIn.at)}  ${user} ${ok ? 'signs in' : 'fails to sign in'}`)
  }
}

const first = await start()
await send(BEFORE)
await processed(first, BEFORE.length)
await first.close()
console.log('          the application stops in the middle of the burst, and starts again')

const second = await start()
const alerted = new Promise<void>((resolve, reject) => {
  second.done.catch(reject)
  second.store<string, Burst>('alerts').changes$.subscribe(({ key, value, timestamp }) => {
    if (value === undefined) return
    const span = `${clock(value.fromMs)} to ${clock(value.toMs)}`
    console.log(`${clock(timestamp ?? 0)}  ALERT: ${key} failed ${value.failures} times, ${span}`)
    resolve()
  })
})
await send(AFTER)
await alerted
await processed(second, AFTER.length)

await producer.close()
await second.close()
await log.close()

async function start(): Promise<StreamsApp> {
  // What happens is of a day long ago, which is no reason to delete it.
  const configs = { 'retention.ms': '-1' }
  const createTopics = { partitions: 1, configs }
  const app = await runStreams(debouncedAlert, { log, createTopics, internalTopicConfigs: configs })
  await app.running
  return app
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}
