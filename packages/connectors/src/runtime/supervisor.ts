import { type Environment, Wakeup } from '@millrace/log'
import { backoffMs } from './backoff.ts'
import type { SupervisionSettings } from './connector.ts'
import type { ConnectorFailure, ConnectorState, TargetState } from './connector-state.ts'
import { CrashBudgetSpentError } from './errors.ts'
import { failureKind } from './failure.ts'
import { Gate } from './gate.ts'
import type { LifeEnd } from './life.ts'
import type { Meter } from './meter.ts'

/** What a supervisor works with. */
export interface SupervisorParts {
  readonly environment: Environment
  readonly settings: SupervisionSettings
  readonly meter: Meter
  readonly target: TargetState
  /** One life; `running` is to be called when it works. */
  live(life: { readonly signal: AbortSignal; readonly gate: Gate; running(): void }): Promise<LifeEnd>
  changed(state: ConnectorState): void
  failed(error: unknown, outcome: ConnectorFailure['outcome']): void
}

/**
 * Keeps a connector alive: runs one life after the other, as an operator wants it. What passes by itself is tried again for ever, ever more
 * slowly; what would only come again stops it; what is unknown may happen a number of times in a while.
 */
export class Supervisor {
  readonly gate = new Gate()
  readonly #parts: SupervisorParts
  readonly #wakeup: Wakeup
  readonly #crashes: number[] = []
  #target: TargetState
  #state: ConnectorState = { status: 'starting' }
  #life: AbortController | undefined
  #closing = false
  /** It came to an end by itself, and waits for an operator. */
  #resting = false
  #attempt = 0

  constructor(parts: SupervisorParts) {
    this.#parts = parts
    this.#target = parts.target
    this.#wakeup = new Wakeup(parts.environment)
    this.gate.set(parts.target !== 'PAUSED')
  }

  get state(): ConnectorState {
    return this.#state
  }

  /** What an operator wants from now on. */
  want(target: TargetState): void {
    if (target === this.#target) return
    // Stopped, it may have its offsets edited, whatever it came to before; resumed, it begins anew.
    if (target === 'STOPPED') this.#resting = false
    this.#target = target
    this.gate.set(target !== 'PAUSED')
    const { status } = this.#state
    if (target === 'STOPPED') this.#endLife()
    else if (status === 'running' || status === 'paused') this.#show(this.#working())
    this.#wakeup.signal()
  }

  /** Ends the present life, or the rest after it, and begins another. */
  restart(): void {
    this.#resting = false
    this.#attempt = 0
    this.#crashes.length = 0
    this.#parts.meter.figures.refusalsInARow = 0
    this.#endLife()
    this.#wakeup.signal()
  }

  close(): void {
    this.#closing = true
    this.#endLife()
    this.#wakeup.signal()
  }

  /** Until it is closed. */
  async run(): Promise<void> {
    while (!this.#closing) {
      if (this.#target === 'STOPPED' || this.#resting) {
        if (!this.#resting) this.#show({ status: 'stopped' })
        await this.#wakeup.wait()
        continue
      }
      await this.#live()
    }
    this.#show({ status: 'closed' })
  }

  async #live(): Promise<void> {
    const { meter, live } = this.#parts
    const controller = new AbortController()
    const commits = meter.figures.commits
    this.#life = controller
    if (this.#state.status !== 'starting') this.#show({ status: 'starting' })
    try {
      const running = () => this.#show(this.#working())
      const end = await live({ signal: controller.signal, gate: this.gate, running })
      if (end === 'ended') this.#rest({ status: 'ended' })
    } catch (error) {
      if (meter.figures.commits > commits) this.#attempt = 0
      await this.#judge(error, controller.signal.aborted)
    } finally {
      this.#life = undefined
      meter.figures.activeRecords = 0
      meter.observeLag(() => undefined)
    }
  }

  async #judge(error: unknown, asked: boolean): Promise<void> {
    const kind = failureKind(error)
    // It was to end anyway: what it failed of on the way is told, and nothing more.
    if (asked) {
      this.#parts.failed(error, 'restarting')
      return
    }
    if (kind === 'fenced') {
      this.#rest({ status: 'fenced', error })
      return
    }
    const spent = kind === 'crash' ? this.#spendBudget(error) : undefined
    if (kind === 'permanent' || spent !== undefined) this.#rest({ status: 'failed', error: spent ?? error })
    else await this.#waitAfter(error)
  }

  async #waitAfter(reason: unknown): Promise<void> {
    const { settings, environment, meter, failed } = this.#parts
    const attempt = ++this.#attempt
    const delayMs = Math.round(backoffMs(attempt, settings.backoff, environment.random))
    meter.erred()
    meter.figures.retries++
    failed(reason, 'restarting')
    this.#show({ status: 'restarting', reason, attempt, delayMs })
    await this.#wakeup.wait(delayMs)
  }

  /** @returns the error when there were too many crashes. */
  #spendBudget(error: unknown): CrashBudgetSpentError | undefined {
    const { settings, environment } = this.#parts
    const { count, withinMs } = settings.crashes
    const nowMs = environment.clock.monotonicMs()
    this.#crashes.push(nowMs)
    while (this.#crashes.length > 0 && nowMs - this.#crashes[0] > withinMs) this.#crashes.shift()
    return this.#crashes.length > count ? new CrashBudgetSpentError({ crashes: count, withinMs }, error) : undefined
  }

  #rest(state: Extract<ConnectorState, { status: 'ended' | 'failed' | 'fenced' }>): void {
    this.#resting = true
    if ('error' in state) this.#parts.failed(state.error, state.status)
    this.#show(state)
  }

  #endLife(): void {
    this.#life?.abort()
  }

  #working(): ConnectorState {
    return this.#target === 'PAUSED' ? { status: 'paused' } : { status: 'running' }
  }

  #show(state: ConnectorState): void {
    this.#state = state
    this.#parts.changed(state)
  }
}
