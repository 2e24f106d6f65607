import type { Log } from '@millrace/log'
import type { Duration } from '@millrace/streams'
import { readCommitted } from '../read-committed.ts'
import { CommandLineError } from './errors.ts'

const SETTINGS_TOPIC = 'click-settings'
const SETTINGS_KEY = 'settings'
/** Where an earlier version kept what it had read. */
const FORMER_POSITIONS_TOPIC = 'click-positions'

/**
 * The size of the windows belongs to the data: results of two sizes would mix. It is written at the first run and compared ever after.
 * @throws CommandLineError naming the size in use.
 */
export async function checkSettings(log: Log, options: { readonly window: Duration }): Promise<void> {
  await makeSettingsTopic(log)
  let window: string | undefined
  await readCommitted(log, SETTINGS_TOPIC, (key, value) => {
    if (value !== null && key?.toString('utf8') === SETTINGS_KEY) window = JSON.parse(value.toString('utf8')).window
  })
  if (window === options.window) return
  if (window !== undefined) {
    throw new CommandLineError(
      `this log is counted in windows of ${window}, not ${options.window}: pass --window ${window}, or another --data`
    )
  }
  const producer = log.producer()
  try {
    await producer.send({
      topic: SETTINGS_TOPIC,
      partition: 0,
      key: Buffer.from(SETTINGS_KEY),
      value: Buffer.from(JSON.stringify({ window: options.window }))
    })
  } finally {
    await producer.close()
  }
}

/** Files read by an earlier version would be read again. */
async function makeSettingsTopic(log: Log): Promise<void> {
  const admin = log.admin()
  try {
    if ((await admin.listTopics()).some(({ name }) => name === FORMER_POSITIONS_TOPIC)) {
      throw new CommandLineError(
        'this log was begun by an earlier version of the click aggregator: pass another --data'
      )
    }
    await admin.ensureTopic({ name: SETTINGS_TOPIC, partitions: 1, configs: { 'cleanup.policy': 'compact' } })
  } finally {
    await admin.close()
  }
}
