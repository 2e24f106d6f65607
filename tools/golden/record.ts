import { caseFiles, readCases } from './case.ts'
import { openKafkaStreams } from './kafka-streams.ts'

const paths = process.argv.slice(2)
if (paths.length === 0) {
  console.error('usage: npm run golden:record -- DIR|FILE…   (writes into the cases what Kafka Streams answers)')
  process.exit(2)
}

const kafka = await openKafkaStreams()
if ('missing' in kafka) console.log(`skipped: ${kafka.missing}`)
else {
  const files = caseFiles(paths)
  try {
    await kafka.record(files)
  } finally {
    kafka.close()
  }
  const cases = readCases(files)
  const refused = cases.filter((golden) => golden.refused !== undefined)
  for (const golden of refused) console.log(`REFUSED ${golden.name} ${golden.refused}`)
  console.log(`${cases.length - refused.length} recorded, ${refused.length} refused by Kafka Streams`)
  process.exitCode = refused.length > 0 ? 1 : 0
}
