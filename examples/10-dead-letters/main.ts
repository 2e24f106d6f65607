/** `npm run example -- 10 [--data DIRECTORY] [--add PRODUCT]` */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectorsControl, type DeadLetter, runConnectors } from '@millrace/connectors'
import { type Log, openLog, realEnvironment } from '@millrace/log'
import { CommittedReader } from '../committed-reader.ts'
import { example, failureOf, interruption } from '../example.ts'
import { bold } from '../live-page.ts'
import { ORDERS } from './orders.ts'
import { CONNECTOR, ORDERS_TOPIC, ShopDatabase, shopConnector } from './shop.ts'

const USAGE = `Eight orders, two of which the database refuses: they are put aside, the others go on.

  npm run example -- 10 [options]

  --data DIR       where the log and the database are   (./data-10)
  --add PRODUCT    first put a product into the table of products
`
const OPTIONS = { data: { type: 'string' }, add: { type: 'string' } } as const
const LOOK_AGAIN_MS = 50

await example(USAGE, OPTIONS, async ({ data = './data-10', add }, interrupted) => {
  realEnvironment().files.makeDirectory(data)
  const database = new ShopDatabase(data)
  if (add !== undefined) database.addProduct(add)
  const url = `file:${join(data, 'log')}`
  const { arrived, letters, rows } = await deliver().finally(() => database.close())

  const waiting = letters.filter(({ replayed }) => !replayed)
  for (const [nr] of ORDERS) {
    const letter = waiting.findLast(({ key }) => key === nr)
    console.log(`${nr}  ${rows.get(nr) ?? (letter === undefined ? 'on its way' : `dead letter: ${why(letter)}`)}`)
  }
  const sum = `${arrived} records = ${rows.size} rows + ${letters.length} dead letters`
  console.log(
    `\n${bold(sum)}${letters.length > waiting.length ? ` (${letters.length - waiting.length} sent back)` : ''}`
  )
  const again = waiting.filter(({ key }) => letters.some((letter) => letter.replayed && letter.key === key))
  for (const { key } of again) console.log(`\n${key} was sent back and refused again: nothing was mended for it`)
  if (waiting.length > again.length) {
    console.log(`
  npm run millrace -- connectors dlq list ${CONNECTOR} --log ${url}
  npm run example -- 10 --add umbrella                 mends what the first one is about
  npm run millrace -- connectors dlq replay ${CONNECTOR} --log ${url}
  npm run example -- 10                                delivers what was sent back`)
  }

  async function deliver() {
    const log = await openLog(url)
    try {
      const arrived = await ordersOnTheLog(log)
      const app = await runConnectors({ log, connectors: [shopConnector(data)] })
      try {
        await Promise.race([failureOf(app.done), interruption(interrupted), settled(log, arrived)])
        const { letters } = await connectorsControl(log).deadLetters(CONNECTOR)
        return { arrived, letters, rows: database.orders() }
      } finally {
        await app.close()
      }
    } finally {
      await log.close()
    }
  }

  /** Every record became a row or a dead letter: nothing is lost, and nothing is skipped. */
  async function settled(log: Log, records: number): Promise<void> {
    const control = connectorsControl(log)
    while (!interrupted.aborted) {
      const { letters } = await control.deadLetters(CONNECTOR)
      if (database.orders().size + letters.length === records) return
      await sleep(LOOK_AGAIN_MS)
    }
  }
})

/** How many records the topic has; orders that it has not are written, whether this is the first run or the one before it was killed. */
async function ordersOnTheLog(log: Log): Promise<number> {
  const reader = await CommittedReader.open(log, ORDERS_TOPIC)
  const producer = log.producer()
  let records = (await reader.readOn()).length
  for (const [nr, value] of ORDERS.slice(records)) {
    await producer.send({ topic: ORDERS_TOPIC, key: Buffer.from(nr), value: Buffer.from(value) })
    records++
  }
  await producer.close()
  await reader.close()
  return records
}

/** The message without where the record was. */
function why({ message }: DeadLetter): string {
  return message.slice(message.indexOf('cannot be written: ') + 'cannot be written: '.length)
}
