import { type Broker, startBroker } from '../broker/broker.ts'
import { type BrokerConfig, defaultBrokerConfig } from '../broker/broker-config.ts'
import type { OnBrokerEvent } from '../broker/event.ts'
import type { RequestSession } from '../broker/handler.ts'
import { Admin } from '../client/admin/admin.ts'
import { pause } from '../client/backoff.ts'
import { createClientContext } from '../client/client-context.ts'
import { Consumer } from '../client/consumer/consumer.ts'
import { Producer } from '../client/producer/producer.ts'
import type { Environment } from '../environment/environment.ts'
import type { Log } from '../open-log.ts'
import { encodingInProcess } from '../transport/encoding-in-process.ts'
import { DisconnectedError } from '../transport/errors.ts'
import { InProcessTransport, type ServingBroker } from '../transport/in-process.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { type FaultPlan, FaultyTransport } from './faulty-transport.ts'
import type { SimulatedMachine } from './simulated-machine.ts'
import type { SimulatedWorld } from './simulated-world.ts'

const DIRECTORY = '/data'

/** How a simulated log is opened. */
export interface SimulatedLogOptions {
  readonly world: SimulatedWorld
  /** The machine with the broker and its disk. */
  readonly machine: SimulatedMachine
  readonly broker?: Partial<BrokerConfig>
  readonly onEvent: OnBrokerEvent
}

/** How another machine reaches a simulated log. */
export interface SimulatedReach {
  readonly environment: Environment
  /** What befalls its requests; default: nothing but that they take time. */
  readonly plan?: FaultPlan
  /** Whether nothing gets through at the moment. */
  readonly isCut?: () => boolean
}

/**
 * A log on a machine of a simulated world, for programs on other machines of it: their requests and the answers are bytes that travel, and get lost as
 * planned. The log's machine may crash and be started again meanwhile, like the others; its clients then lose their connection, and find it again.
 */
export class SimulatedLog {
  readonly #options: SimulatedLogOptions
  #broker: Broker | undefined
  #clusterId = ''
  /** Requests at the broker, to be failed when it is gone. */
  readonly #waiting = new Set<(error: DisconnectedError) => void>()

  private constructor(options: SimulatedLogOptions) {
    this.#options = options
  }

  /** Starts the broker on its machine. To be awaited inside of `world.run`, as everything here. */
  static async open(options: SimulatedLogOptions): Promise<SimulatedLog> {
    const log = new SimulatedLog(options)
    await log.#start()
    return log
  }

  /** The log as a program on another machine has it. */
  from({ environment, plan, isCut = () => false }: SimulatedReach): Log {
    const near = new InProcessTransport(encodingInProcess(this.#reachedFrom(environment, isCut)), {
      timers: environment.timers,
      clientId: 'millrace'
    })
    const transport = new FaultyTransport(near, environment)
    if (plan !== undefined) transport.plan(plan)
    const context = createClientContext(transport, environment)
    return {
      url: 'simulated:',
      clusterId: this.#clusterId,
      environment,
      directory: undefined,
      producer: (options) => new Producer(context, options),
      consumer: (options) => new Consumer(context, options),
      admin: () => new Admin(context),
      compaction: () => [],
      close: () => transport.close()
    }
  }

  /** The broker's machine crashes: of what was not synced, a power cut takes some. Nobody answers until `restart`. */
  crash(how: 'kill' | 'power cut'): void {
    const { machine } = this.#options
    this.#broker = undefined
    if (how === 'kill') machine.kill()
    else machine.powerCut()
    for (const fail of this.#waiting) fail(new DisconnectedError('the connection was reset'))
    this.#waiting.clear()
  }

  /** Starts the machine again, and the broker on what it finds on the disk. */
  async restart(): Promise<void> {
    this.#options.machine.restart()
    await this.#start()
  }

  async #start(): Promise<void> {
    const { machine, broker, onEvent } = this.#options
    const started = await startBroker({
      environment: machine.environment,
      directory: DIRECTORY,
      config: { ...defaultBrokerConfig, ...broker },
      holder: machine.name,
      advertised: { host: machine.name, port: 9092 },
      onEvent
    })
    this.#broker = started
    this.#clusterId = started.clusterId
  }

  /** The broker at the end of a way. What leaves one end in order arrives in order. */
  #reachedFrom(environment: Environment, isCut: () => boolean): ServingBroker {
    const { network } = this.#options.world
    let lastArrivalMs = 0
    const travel = async (): Promise<void> => {
      const nowMs = environment.clock.monotonicMs()
      lastArrivalMs = Math.max(lastArrivalMs, nowMs + network.delayMs())
      await pause(environment, lastArrivalMs - nowMs)
      if (isCut()) throw new DisconnectedError('the log is out of reach')
    }
    let known: Broker | undefined
    const serving = (): Broker => {
      known = this.#broker ?? known
      if (known === undefined) throw new DisconnectedError('the log is out of reach')
      return known
    }
    return {
      serve: async (api, request, session) => {
        await travel()
        const answer = await this.#ask(api, request, { ...session, inProcess: false })
        await travel()
        return answer
      },
      serves: (api) => serving().serves(api),
      features: () => serving().features()
    }
  }

  #ask<A extends Api>(api: A, request: RequestOf<A>, session: RequestSession): Promise<ResponseOf<A>> {
    const broker = this.#broker
    if (broker === undefined) return Promise.reject(new DisconnectedError('the connection was refused'))
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      broker
        .serve(api, request, session)
        .finally(() => this.#waiting.delete(reject))
        .then(resolve, reject)
    })
  }
}
