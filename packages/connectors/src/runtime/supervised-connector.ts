import type { Environment } from '@millrace/log'
import { BehaviorSubject, firstValueFrom, map, Observable, Subject } from 'rxjs'
import type { ConnectorEvent } from '../connector-event.ts'
import type { ConnectorConfigs } from './configs.ts'
import type { SupervisionSettings } from './connector.ts'
import {
  type ConnectorFailure,
  type ConnectorHealth,
  type ConnectorState,
  isAtRest,
  type TargetState,
  type TimedEvent
} from './connector-state.ts'
import { ConnectorFailedError } from './errors.ts'
import { judgeHealth } from './health.ts'
import type { Life, LifeEnd } from './life.ts'
import { Meter } from './meter.ts'
import { type ConnectorMetrics, readMetrics } from './metrics.ts'
import type { RunningConnector } from './running-connector.ts'
import { Supervisor } from './supervisor.ts'

const TICK_MS = 1000

/** What a supervised connector works with. */
export interface SupervisedParts {
  readonly name: string
  readonly type: 'source' | 'sink'
  readonly environment: Environment
  readonly settings: SupervisionSettings
  readonly configs: ConnectorConfigs
  live(life: LifePart): Promise<LifeEnd>
}

/** Of a life, what supervision gives. */
export type LifePart = Pick<Life, 'signal' | 'gate' | 'meter' | 'running' | 'report' | 'failed'>

/** A supervisor, and what is seen of it from outside. */
export class SupervisedConnector implements RunningConnector {
  readonly name: string
  readonly type: 'source' | 'sink'
  readonly state$: BehaviorSubject<ConnectorState>
  readonly errors$ = new Subject<ConnectorFailure>()
  readonly events$ = new Subject<TimedEvent>()
  readonly #parts: SupervisedParts
  readonly #meter: Meter
  readonly #supervisor: Supervisor
  readonly #finished: Promise<void>
  readonly #spans: StateSpans
  #lastFailure: ConnectorFailure | undefined

  constructor(parts: SupervisedParts) {
    const { environment, configs, name } = parts
    this.name = name
    this.type = parts.type
    this.#parts = parts
    this.#meter = new Meter(environment.clock)
    this.#spans = new StateSpans(environment)
    this.#supervisor = new Supervisor({
      environment,
      settings: parts.settings,
      meter: this.#meter,
      target: configs.of(name).target,
      live: (life) => parts.live({ ...life, ...this.#observers() }),
      changed: (state) => this.#show(state),
      failed: (error, outcome) => this.#failed(error, outcome)
    })
    this.state$ = new BehaviorSubject<ConnectorState>(this.#supervisor.state)
    this.#finished = this.#supervisor.run()
  }

  get state(): ConnectorState {
    return this.#supervisor.state
  }

  get lag$(): Observable<number | undefined> {
    return this.#ticks().pipe(map(() => this.#meter.lag()))
  }

  get metrics$(): Observable<ConnectorMetrics> {
    return this.#ticks().pipe(map(() => this.metrics()))
  }

  get done(): Promise<void> {
    return this.#atRest((state) => isAtRest(state) && state.status !== 'stopped').then((state) => {
      if ('error' in state) throw new ConnectorFailedError(this.name, state.error)
    })
  }

  health(): ConnectorHealth {
    const { stalledAfterMs } = this.#parts.settings
    return judgeHealth({ state: this.state, meter: this.#meter, stalledAfterMs, lastFailure: this.#lastFailure })
  }

  metrics(): ConnectorMetrics {
    return readMetrics({ type: this.type, state: this.state, meter: this.#meter, ...this.#spans.read() })
  }

  async pause(): Promise<void> {
    await this.#want('PAUSED')
    await this.#atRest(({ status }) => status === 'paused' || status === 'restarting' || REFUSING.has(status))
  }

  async resume(): Promise<void> {
    await this.#want('STARTED')
    await this.#atRest(({ status }) => status === 'running' || status === 'restarting' || REFUSING.has(status))
  }

  async stop(): Promise<void> {
    await this.#want('STOPPED')
    await this.#atRest(({ status }) => status === 'stopped' || status === 'closed')
  }

  async restart(): Promise<void> {
    // The states of the life that ends are not those of the one that begins.
    const begun = this.#atRest(({ status }) => status === 'starting' || status === 'stopped' || status === 'closed')
    this.#supervisor.restart()
    if (this.#supervisor.state.status !== 'stopped') await begun
  }

  /** Tells an operator something. */
  tell(event: ConnectorEvent): void {
    this.events$.next({ ...event, atMs: this.#nowMs() })
  }

  /** What the log says that somebody wants. */
  obey(target: TargetState): void {
    this.#supervisor.want(target)
  }

  async close(): Promise<void> {
    this.#supervisor.close()
    await this.#finished
    for (const subject of [this.state$, this.errors$, this.events$]) subject.complete()
  }

  async #want(target: TargetState): Promise<void> {
    await this.#parts.configs.setTarget(this.name, target)
    this.#supervisor.want(target)
  }

  #atRest(holds: (state: ConnectorState) => boolean): Promise<ConnectorState> {
    return firstValueFrom(
      new Observable<ConnectorState>((subscriber) =>
        this.state$.subscribe({
          next: (state) => {
            if (holds(state)) subscriber.next(state)
          },
          complete: () => subscriber.next({ status: 'closed' })
        })
      )
    )
  }

  #observers(): Pick<Life, 'meter' | 'report' | 'failed'> {
    return {
      meter: this.#meter,
      report: (event) => this.tell(event),
      failed: ({ error, kind }) => this.#failed(error, kind)
    }
  }

  #failed(error: unknown, outcome: ConnectorFailure['outcome']): void {
    this.#lastFailure = { atMs: this.#nowMs(), outcome, error }
    this.errors$.next(this.#lastFailure)
  }

  #show(state: ConnectorState): void {
    this.#spans.enter(state)
    this.state$.next(state)
  }

  #ticks(): Observable<void> {
    const { timers } = this.#parts.environment
    return new Observable((subscriber) => {
      let timer = timers.set(0, tick, { background: true })
      function tick() {
        subscriber.next()
        if (!subscriber.closed) timer = timers.set(TICK_MS, tick, { background: true })
      }
      const closed = this.state$.subscribe({ complete: () => subscriber.complete() })
      return () => {
        timer.cancel()
        closed.unsubscribe()
      }
    })
  }

  #nowMs(): number {
    return this.#parts.environment.clock.nowMs()
  }
}

/** States in which nothing that an operator asks for can come true without a restart. */
const REFUSING: ReadonlySet<ConnectorState['status']> = new Set(['ended', 'failed', 'fenced', 'closed'])

/** How long a connector was in the states that Kafka Connect measures. */
class StateSpans {
  readonly #environment: Environment
  readonly #beganMs: number
  #state: ConnectorState = { status: 'starting' }
  #enteredMs: number
  #runningMs = 0
  #pausedMs = 0

  constructor(environment: Environment) {
    this.#environment = environment
    this.#beganMs = environment.clock.monotonicMs()
    this.#enteredMs = this.#beganMs
  }

  enter(state: ConnectorState): void {
    const { runningMs, pausedMs } = this.read()
    this.#runningMs = runningMs
    this.#pausedMs = pausedMs
    this.#enteredMs = this.#environment.clock.monotonicMs()
    this.#state = state
  }

  read(): { readonly runningMs: number; readonly pausedMs: number; readonly totalMs: number } {
    const nowMs = this.#environment.clock.monotonicMs()
    const spentMs = nowMs - this.#enteredMs
    const { status } = this.#state
    return {
      runningMs: this.#runningMs + (status === 'running' ? spentMs : 0),
      pausedMs: this.#pausedMs + (status === 'paused' ? spentMs : 0),
      totalMs: nowMs - this.#beganMs
    }
  }
}
