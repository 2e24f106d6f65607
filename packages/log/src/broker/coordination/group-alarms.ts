import type { Group } from '../../coordinator/groups/group.ts'
import { nextWakeMs } from '../../coordinator/groups/wake.ts'
import type { Timer, Timers } from '../../environment/environment.ts'

interface Alarm {
  readonly atMs: number
  readonly timer: Timer
}

/** One timer a group, set to its next deadline. Deadlines that moved on are noticed when the timer fires, which costs heartbeats nothing. */
export class GroupAlarms {
  readonly #timers: Timers
  readonly #nowMs: () => number
  readonly #ring: (groupId: string) => void
  readonly #alarms = new Map<string, Alarm>()

  /** @param ring called when a group's deadline has come; the group is then set anew by its owner */
  constructor(timers: Timers, nowMs: () => number, ring: (groupId: string) => void) {
    this.#timers = timers
    this.#nowMs = nowMs
    this.#ring = ring
  }

  /** Sees to it that the group is woken at its next deadline. */
  set(group: Group): void {
    const { groupId } = group
    const atMs = nextWakeMs(group)
    const alarm = this.#alarms.get(groupId)
    if (alarm?.atMs === atMs) return
    alarm?.timer.cancel()
    this.#alarms.delete(groupId)
    if (atMs === Number.POSITIVE_INFINITY) return
    const delayMs = Math.max(0, atMs - this.#nowMs())
    const ring = (): void => {
      this.#alarms.delete(groupId)
      this.#ring(groupId)
    }
    this.#alarms.set(groupId, { atMs, timer: this.#timers.set(delayMs, ring, { background: true }) })
  }

  /** Cancels all. */
  close(): void {
    for (const { timer } of this.#alarms.values()) timer.cancel()
    this.#alarms.clear()
  }
}
