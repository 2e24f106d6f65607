import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { MillraceError } from '@millrace/log'
import type { JobSettings } from './job-settings.ts'

const JOB = join(import.meta.dirname, 'job.ts')
/** Long, since the machine may have other things to do. */
const PATIENCE_MS = 300_000
const KILL_PATIENCE_MS = 1500

/** The job did not do what was waited for. */
export class JobStuckError extends MillraceError {
  readonly code = 'SOAK_JOB_STUCK'
}

/** One life of the job's process. */
export class JobLife {
  /** What it said that may explain a failure. */
  readonly story: string[] = []
  readonly progress = new Map<string, number>()
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  #listeners: ((line: string) => void)[] = []
  #ended = false

  constructor(settings: JobSettings) {
    this.#child = spawn(process.execPath, ['--conditions=source', JOB, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'pipe']
    })
    this.#exit = once(this.#child, 'close').then(() => {
      this.#ended = true
      this.#hear('ended')
    })
    this.#child.stdin?.on('error', () => undefined)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#hear(line))
    }
  }

  /** Sends a command. */
  tell(command: string): void {
    this.#child.stdin?.write(`${command}\n`)
  }

  /** Sends a command and waits for the line that begins with `answer`. */
  async ask(command: string, answer: string): Promise<string> {
    const answered = this.#until(command, (line) => line.startsWith(answer))
    this.tell(command)
    return answered
  }

  /** Waits until each of these has committed something in this life. */
  async progressed(names: readonly string[]): Promise<void> {
    const has = () => names.every((name) => this.progress.has(name))
    if (!has()) await this.#until(`progress of ${names.join(', ')}`, has)
  }

  /** Waits for a line that begins so, whenever it was said. */
  async heard(beginning: string): Promise<void> {
    const holds = (line: string) => line.startsWith(beginning)
    if (!this.story.some(holds)) await this.#until(beginning, holds)
  }

  /** Waits until it has come to its end. */
  async ended(): Promise<void> {
    if (!this.#ended) await this.#until('its end', (line) => line === 'ended')
  }

  /** Kills it with SIGKILL when it passes a step, or after a moment if it never does. */
  async killAt(step: string, passes: number): Promise<'at the step' | 'late'> {
    this.tell(`kill ${step} ${passes}`)
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#child.kill('SIGKILL')
    }, KILL_PATIENCE_MS)
    await this.#exit
    clearTimeout(timer)
    return late ? 'late' : 'at the step'
  }

  /** Kills it with SIGKILL now. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** Lets it end in order. */
  async close(): Promise<void> {
    this.tell('close')
    await this.#exit
  }

  #hear(line: string): void {
    const [word, name = ''] = line.split(' ', 2)
    if (word === 'progress') this.progress.set(name, (this.progress.get(name) ?? 0) + 1)
    else this.story.push(line)
    for (const listener of this.#listeners.slice()) listener(line)
  }

  #until(what: string, holds: (line: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        this.#listeners = this.#listeners.filter((one) => one !== listener)
      }
      const fail = (how: string) => {
        stop()
        const seen = [...this.progress].map(([name, count]) => `${name} ${count}`).join(', ')
        reject(new JobStuckError(`${how}: ${what}; progress so far: ${seen}\n${this.story.join('\n')}`))
      }
      const timer = setTimeout(() => fail('the job did not come to it in time'), PATIENCE_MS)
      const listener = (line: string) => {
        if (holds(line)) {
          stop()
          resolve(line)
        } else if (line === 'ended' || line.startsWith('failed ')) fail(`the job ${line}`)
      }
      this.#listeners.push(listener)
      if (this.#ended) fail('the job has ended')
    })
  }
}
