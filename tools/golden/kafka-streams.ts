import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type KafkaJars, kafkaJars } from '../../test/peers/kafka-jars.ts'

const run = promisify(execFile)
const SOURCES = fileURLToPath(new URL('../../test/peers/golden/', import.meta.url))
const OUTPUT_BYTES = 16 * 1024 * 1024

/** Kafka Streams' test driver, compiled and ready to answer cases; or why it is not. */
export type KafkaStreams = KafkaStreamsRecorder | { readonly missing: string }

/** Writes into the cases of files what Kafka Streams answers: `output` and `stores`, or `refused` with the reason. */
export interface KafkaStreamsRecorder {
  record(files: readonly string[]): Promise<void>
  /** Removes what was compiled. */
  close(): void
}

/** Compiles the recorder of `test/peers/golden`. Needs a JDK 17 or newer, and Maven or `test/peers/lib`. */
export async function openKafkaStreams(): Promise<KafkaStreams> {
  const jars: KafkaJars = await kafkaJars()
  if ('missing' in jars) return jars
  const classes = mkdtempSync(join(tmpdir(), 'millrace-golden-'))
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.java'))
  try {
    await run('javac', ['-d', classes, '-cp', jars.classPath, ...sources.map((name) => join(SOURCES, name))])
  } catch (error) {
    rmSync(classes, { recursive: true, force: true })
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { missing: 'there is no Java compiler on the PATH' }
    }
    throw error
  }
  const options = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=off']
  const classPath = `${classes}:${jars.classPath}`
  return {
    record: async (files) => {
      await run('java', [...options, '-cp', classPath, 'RecordGolden', ...files], { maxBuffer: OUTPUT_BYTES })
    },
    close: () => rmSync(classes, { recursive: true, force: true })
  }
}
