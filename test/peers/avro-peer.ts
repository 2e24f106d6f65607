import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { mavenJars } from './maven-jars.ts'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('./avro/', import.meta.url))

/** One question to Java's Avro; schemas are JSON text. */
export type AvroQuestion =
  | { readonly question: 'canonical'; readonly schema: string }
  | { readonly question: 'compatibility'; readonly reader: string; readonly writer: string }
  | { readonly question: 'encode'; readonly schema: string; readonly json: string }
  | { readonly question: 'resolve'; readonly reader: string; readonly writer: string; readonly hex: string }

/** What Java answers: the part that was asked for, or the error it threw. */
export interface AvroAnswer {
  readonly schema?: string
  readonly incompatibilities?: readonly { readonly type: string; readonly path: string }[]
  readonly hex?: string
  readonly json?: string
  readonly error?: string
}

/** Java's Avro, compiled and ready; or why it is not. */
export type AvroPeer =
  | { readonly ask: (questions: readonly AvroQuestion[]) => Promise<AvroAnswer[]>; readonly close: () => void }
  | { readonly missing: string }

/** Compiles `test/peers/avro`. Needs a JDK 17 or newer, and Maven the first time. */
export async function openAvroPeer(): Promise<AvroPeer> {
  const jars = await mavenJars(folder, 'avro-')
  if ('missing' in jars) return jars
  const classes = mkdtempSync(join(tmpdir(), 'millrace-avro-'))
  const close = () => rmSync(classes, { recursive: true, force: true })
  try {
    await run('javac', ['-d', classes, '-cp', jars.classPath, `${folder}AvroPeer.java`])
  } catch (error) {
    close()
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { missing: 'there is no Java compiler on the PATH' }
    }
    throw error
  }
  const options = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', `${classes}:${jars.classPath}`, 'AvroPeer']
  const ask = async (questions: readonly AvroQuestion[]): Promise<AvroAnswer[]> => {
    const java = spawn('java', options, { stdio: ['pipe', 'pipe', 'inherit'] })
    java.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''))
    const answered = await text(java.stdout)
    return answered
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  return { ask, close }
}
