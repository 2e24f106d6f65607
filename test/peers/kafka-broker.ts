import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { runKafkaTool } from './kafka-jars.ts'

const START_LIMIT_MS = 60_000

/** A running Apache Kafka of one node. */
export interface KafkaBroker {
  /** `host:port` for clients. */
  readonly address: string
  /** Its log directory. */
  readonly dataDirectory: string
  /** Shuts it down in order and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts Apache Kafka (combined broker and controller) with its files below `directory`. */
export async function startKafka(classPath: string, directory: string): Promise<KafkaBroker> {
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = `${directory}/server.properties`
  const dataDirectory = `${directory}/data`
  writeFileSync(properties, serverProperties({ port, controllerPort, dataDirectory }))
  const { stdout: id } = await runKafkaTool(classPath, ['kafka.tools.StorageTool', 'random-uuid'])
  await runKafkaTool(classPath, ['kafka.tools.StorageTool', 'format', '-t', id.trim(), '-c', properties])
  const child = spawn('java', ['-Xmx512m', '-cp', classPath, 'kafka.Kafka', properties])
  await started(child)
  return {
    address: `127.0.0.1:${port}`,
    dataDirectory,
    stop: async () => {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
  }
}

function serverProperties(at: { port: number; controllerPort: number; dataDirectory: string }): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${at.controllerPort}
listeners=PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}
controller.listener.names=CONTROLLER
log.dirs=${at.dataDirectory}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=200
`
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const limit = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`Kafka did not start: ${output}`))
    }, START_LIMIT_MS)
    const read = (chunk: Buffer) => {
      output += String(chunk)
      if (!output.includes('Kafka Server started')) return
      clearTimeout(limit)
      resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', () => {
      clearTimeout(limit)
      reject(new Error(`Kafka ended: ${output}`))
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
