import { UsageError } from '@millrace/log'
import { BehaviorSubject, filter, firstValueFrom, map, Subject } from 'rxjs'
import type { AppMetrics, AppState, RestoreProgress } from '../observe/app-state.ts'
import type { SkewReport } from '../observe/skew.ts'
import { queryStore } from '../query/query-store.ts'
import type { QueryableStore } from '../query/queryable-store.ts'
import { WatchHub } from '../query/watch-hub.ts'
import { AppMeter } from './app-meter.ts'
import type { AppStart } from './app-options.ts'
import { ApplicationFailedError, UnknownStoreError } from './errors.ts'
import { makeThread, type ThreadResources } from './make-thread.ts'
import { SkewMeter } from './skew-meter.ts'
import type { StreamThread } from './stream-thread.ts'
import type { StreamsApp } from './streams-app.ts'

/** A running topology: the thread that does the work, and what is seen of it from outside. */
export class RunningApp implements StreamsApp {
  readonly state$ = new BehaviorSubject<AppState>({ status: 'starting' })
  readonly restore$ = new Subject<RestoreProgress>()
  readonly metrics$: BehaviorSubject<AppMetrics>
  readonly #start: AppStart
  readonly #hub = new WatchHub()
  readonly #skew = new SkewMeter()
  readonly #meter: AppMeter
  #resources: ThreadResources | undefined
  #finished: Promise<void> = Promise.resolve()
  #doneSeen = false
  #isEnding = false

  private constructor(start: AppStart) {
    this.#start = start
    this.#meter = new AppMeter(start.log.environment.clock, {
      thread: () => this.#thread,
      imbalance: () => this.#skew.imbalance
    })
    this.metrics$ = new BehaviorSubject(this.#meter.read())
  }

  /** Makes topics and clients, and lets the thread begin. */
  static async start(start: AppStart): Promise<RunningApp> {
    const app = new RunningApp(start)
    app.#resources = await makeThread(start, {
      hub: app.#hub,
      skew: app.#skew,
      onState: (state) => app.state$.next(state),
      onRestore: (progress) => app.restore$.next(progress),
      onCommit: (durationMs) => {
        app.#meter.committed(durationMs)
        app.metrics$.next(app.#meter.read())
      }
    })
    app.#finished = app.#run(app.#resources)
    return app
  }

  get done(): Promise<void> {
    this.#doneSeen = true
    return this.#finished
  }

  get state(): AppState {
    return this.state$.value
  }

  get running(): Promise<void> {
    return firstValueFrom(
      this.state$.pipe(
        filter(({ status }) => status === 'running' || status === 'closing'),
        map(() => undefined)
      ),
      { defaultValue: undefined }
    )
  }

  async caughtUp(): Promise<void> {
    try {
      await this.#resources?.catchUp.caughtUp()
    } catch (error) {
      // Once the clients are closed the log says no more than that; the application's end says why.
      if (this.#isEnding) await this.#finished.catch(() => undefined)
      throw this.#refusal() ?? error
    }
  }

  metrics(): AppMetrics {
    return this.#meter.read()
  }

  skew(): SkewReport {
    return this.#resources?.skew() ?? { topics: [] }
  }

  store<K, V>(name: string): QueryableStore<K, V> {
    const { topology } = this.#start
    const definitions = [...topology.stores, ...topology.globalTables.map((table) => table.store)]
    const definition = definitions.find((store) => store.name === name && store.named)
    if (!definition)
      throw new UnknownStoreError(
        name,
        definitions.filter((store) => store.named).map((store) => store.name)
      )
    const readers = async () => {
      await this.running
      const globals = this.#resources?.globals
      if (globals && !topology.stores.includes(definition)) return [globals.committed(definition)]
      const tasks = this.#thread?.tasks ?? []
      return tasks.filter((task) => task.has(name)).map((task) => task.stores.committed(name))
    }
    return queryStore<K, V>(definition, { readers, hub: this.#hub, refusal: () => this.#refusal() })
  }

  async close(): Promise<void> {
    this.#thread?.stop()
    this.#doneSeen = true
    await this.#finished.catch(() => {
      // `done` and `state$` have told; closing a failed application is no failure.
    })
  }

  /** Why queries fail: when the application has ended its tasks are gone, and nothing would be found. */
  #refusal(): Error | undefined {
    const { topology } = this.#start
    if (this.state.status === 'failed') return new ApplicationFailedError(topology.name, this.state.error)
    if (this.state.status !== 'closed') return undefined
    return new UsageError(`application ${topology.name} is closed: read its stores while it runs`)
  }

  get #thread(): StreamThread | undefined {
    return this.#resources?.thread
  }

  async #run({ thread, release, catchUp }: ThreadResources): Promise<void> {
    const failure = await thread.run().then(
      () => undefined,
      (error: unknown) => ({ error })
    )
    this.#isEnding = true
    this.metrics$.next(this.#meter.read())
    await release()
    if (this.#start.ownsLog) await this.#start.log.close()
    this.#hub.close()
    const seen = this.state$.observed || this.#doneSeen
    this.state$.next(failure ? { status: 'failed', error: failure.error } : { status: 'closed' })
    catchUp.end(this.#refusal())
    for (const subject of [this.state$, this.restore$, this.metrics$]) subject.complete()
    if (!failure) return
    // Whoever looks at state$ has been told; only a failure that nobody sees may end the process.
    if (seen) this.#finished.catch(() => undefined)
    throw new ApplicationFailedError(this.#start.topology.name, failure.error)
  }
}
