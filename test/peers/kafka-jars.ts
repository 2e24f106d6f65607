import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type JavaClasses, mavenJars } from './maven-jars.ts'

const run = promisify(execFile)
const peers = fileURLToPath(new URL('.', import.meta.url))

/** Apache Kafka's classes, or why there are none. */
export type KafkaJars = JavaClasses

/** The class path of Apache Kafka 4.3, downloaded by Maven into `test/peers/lib` the first time. Needs Java 17 or newer. */
export function kafkaJars(): Promise<KafkaJars> {
  return mavenJars(peers, 'kafka-tools')
}

/** Runs one of Kafka's command line classes to its end; standard output and error. */
export async function runKafkaTool(
  classPath: string,
  args: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const options = { maxBuffer: 256 * 1024 * 1024 }
  return run('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', classPath, ...args], options)
}
