import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const peers = fileURLToPath(new URL('.', import.meta.url))
const DOWNLOAD_LIMIT_MS = 240_000

/** Apache Kafka's classes, or why there are none. */
export type KafkaJars = { readonly classPath: string } | { readonly missing: string }

/** The class path of Apache Kafka 4.3, downloaded by Maven into `test/peers/lib` the first time. Needs Java 17 or newer. */
export async function kafkaJars(): Promise<KafkaJars> {
  try {
    await run('java', ['-version'])
  } catch {
    return { missing: 'there is no Java on the PATH' }
  }
  if (!hasJars()) {
    try {
      const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib']
      await run('mvn', goal, { cwd: peers, timeout: DOWNLOAD_LIMIT_MS })
    } catch {
      return { missing: 'Maven is missing or could not fetch the jars named in test/peers/pom.xml' }
    }
  }
  return hasJars() ? { classPath: `${peers}lib/*` } : { missing: 'Maven fetched no Kafka jars' }
}

/** Runs one of Kafka's command line classes to its end; standard output and error. */
export async function runKafkaTool(
  classPath: string,
  args: readonly string[]
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const options = { maxBuffer: 256 * 1024 * 1024 }
  return run('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', classPath, ...args], options)
}

function hasJars(): boolean {
  const lib = `${peers}lib`
  return existsSync(lib) && readdirSync(lib).some((name) => name.startsWith('kafka-tools'))
}
