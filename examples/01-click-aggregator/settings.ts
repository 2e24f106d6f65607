import type { Log } from '@millrace/log'
import type { Duration } from '@millrace/streams'
import { CommandLineError } from './errors.ts'
import { POSITIONS_TOPIC, readCommitted, SETTINGS_KEY } from './positions.ts'

/**
 * The size of the windows belongs to the data: results of two sizes would mix. It is written at the first run and compared ever after.
 * @throws CommandLineError naming the size in use.
 */
export async function checkSettings(log: Log, options: { readonly window: Duration }): Promise<void> {
  let window: string | undefined
  await readCommitted(log, POSITIONS_TOPIC, (key, value) => {
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
      topic: POSITIONS_TOPIC,
      partition: 0,
      key: Buffer.from(SETTINGS_KEY),
      value: Buffer.from(JSON.stringify({ window: options.window }))
    })
  } finally {
    await producer.close()
  }
}
