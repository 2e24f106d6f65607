import { parentPort } from 'node:worker_threads'
import { type Job, JobRunner } from './jobs.ts'

/** The thread of a database: it does the jobs that it is sent. */
const runner = new JobRunner()
parentPort?.on('message', (jobs: readonly Job[]) => parentPort?.postMessage(runner.run(jobs)))
