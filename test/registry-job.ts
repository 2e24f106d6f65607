/** Registers schemas without end, some of them anew, and prints `subject name id` of each once it is acknowledged: what a kill interrupts. */

import { openRegistry } from '@millrace/connectors/schemas'
import { openLog } from '@millrace/log'

const [, , directory, first] = process.argv
const log = await openLog(`file:${directory}`)
const registry = await openRegistry({ log })
await registry.settings.setConfig(null, { compatibilityLevel: 'NONE' })
process.stdout.write('ready\n')

for (let i = Number(first); ; i++) {
  const names = [`R${i}`, `R${i}`, `R${Math.max(0, i - 7)}`]
  await Promise.all(
    names.map(async (name, at) => {
      const subject = `subject-${(i + at) % 5}`
      const schema = JSON.stringify({ type: 'record', name, fields: [] })
      const { id } = await registry.register(subject, { schemaType: 'AVRO', schema, references: [] })
      process.stdout.write(`${subject} ${name} ${id}\n`)
    })
  )
}
