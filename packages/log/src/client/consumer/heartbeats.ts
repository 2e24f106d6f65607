import type { Environment, Timer } from '../../environment/environment.ts'
import type { GroupMember } from './group-requests.ts'

/** How heartbeats are made, and what they report. */
export interface HeartbeatParts {
  readonly environment: Environment
  readonly intervalMs: number
  send(member: GroupMember): Promise<void>
  /** Called before each heartbeat; false when there is to be none any more. */
  mayGoOn(): boolean
  /** The coordinator refused one, or it was lost on its way. */
  failed(error: unknown): void
}

/** Heartbeats of one member, by a timer and so independent of polls. One is under way at a time. */
export class Heartbeats {
  readonly #parts: HeartbeatParts
  #timer: Timer | undefined
  #member: GroupMember | undefined

  constructor(parts: HeartbeatParts) {
    this.#parts = parts
  }

  /** Goes on as this member. */
  start(member: GroupMember): void {
    this.#member = member
    if (this.#timer === undefined) this.#beatLater()
  }

  stop(): void {
    this.#member = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #beatLater(): void {
    const { environment, intervalMs } = this.#parts
    this.#timer = environment.timers.set(intervalMs, () => void this.#beat(), { background: true })
  }

  async #beat(): Promise<void> {
    const member = this.#member
    if (member === undefined || !this.#parts.mayGoOn()) return
    try {
      await this.#parts.send(member)
    } catch (error) {
      // An answer to who this member was before says nothing about who it is now.
      if (this.#member === member) this.#parts.failed(error)
    }
    if (this.#member !== undefined) this.#beatLater()
  }
}
