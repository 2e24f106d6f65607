import { caseFiles, GoldenFileError, readCases } from './case.ts'
import { openKafkaStreams } from './kafka-streams.ts'

const paths = process.argv.slice(2)
if (paths.length === 0) {
  console.error('usage: npm run golden:record -- DIR|FILE…   (writes into the cases what Kafka Streams answers)')
  process.exit(2)
}

const files = filesOrEnd(paths)
const kafka = await openKafkaStreams()
if ('missing' in kafka) console.log(`skipped: ${kafka.missing}`)
else {
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

function filesOrEnd(asked: readonly string[]): string[] {
  try {
    return caseFiles(asked)
  } catch (error) {
    if (!(error instanceof GoldenFileError)) throw error
    console.error(error.message)
    return process.exit(2)
  }
}
