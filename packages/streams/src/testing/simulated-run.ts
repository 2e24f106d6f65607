import {
  type BrokerEvent,
  type Environment,
  InvariantError,
  type Log,
  type Producer,
  partitionForKey
} from '@millrace/log'
import {
  type FaultPlan,
  type SeededRandom,
  SimulatedLog,
  type SimulatedMachine,
  SimulatedWorld
} from '@millrace/log/testing'
import { type Duration, durationMs } from '../graph/duration.ts'
import { resolvePatterns } from '../graph/resolve-patterns.ts'
import type { Topology } from '../graph/topology.ts'
import {
  type Blow,
  type BlowKind,
  type CompleteFaults,
  completeFaults,
  planBlows,
  requestFaults
} from './simulated-faults.ts'
import { SimulatedInstance } from './simulated-instance.ts'
import type { SimulatedInput, SimulateOptions } from './simulated-options.ts'
import { readEnd, type SimulatedReading } from './simulated-reading.ts'
import type { SimulatedResult } from './simulated-result.ts'
import { inputSerdes } from './topic-serdes.ts'

/** Longer than a broker holds a fetch, twice: what still had to be noticed has been. */
const QUIET_MS = 1_100
const LOOK_MS = 250
/** More virtual time than is needed when nothing befalls anybody any more: beyond, something waits for what never comes. */
const REST_LIMIT_MS = 900_000
const LIMIT_MS = 2 * REST_LIMIT_MS
const KEPT = { 'retention.ms': '-1' }

/** One simulated run of a topology: a log, instances, somebody who feeds them, and what befalls them. */
export class SimulatedRun {
  readonly trace: string[] = []
  readonly #topology: Topology
  readonly #options: SimulateOptions
  readonly #partitions: number
  readonly #faults: CompleteFaults
  readonly #world: SimulatedWorld
  readonly #random: SeededRandom
  readonly #logMachine: SimulatedMachine
  /** Of those who see to everything: nothing befalls it. */
  readonly #director: Environment
  readonly #instances: SimulatedInstance[] = []
  readonly #happened: Record<BlowKind, number> = {
    crash: 0,
    rebalance: 0,
    'log crash': 0,
    disconnect: 0,
    'slow disk': 0
  }
  #healed = false
  #isLogDown = false
  #disturbed = 0
  #failure: { readonly error: unknown } | undefined

  constructor(topology: Topology, options: SimulateOptions) {
    this.#topology = resolvePatterns(
      topology,
      options.input.map(({ topic }) => topic)
    )
    this.#options = options
    this.#partitions = options.partitions ?? 3
    this.#faults = completeFaults(options.faults ?? true)
    this.#world = new SimulatedWorld({
      seed: options.seed ?? 1,
      ...(options.nowMs !== undefined && { epochMs: options.nowMs })
    })
    this.#random = this.#world.random
    this.#logMachine = this.#world.machine('log')
    this.#director = this.#world.machine('director').environment
  }

  /** Runs to the end. @throws what failed. */
  async run(): Promise<SimulatedResult> {
    const read = await this.#world.run(this.#runAll(), LIMIT_MS)
    const { rebalance, disconnect, 'log crash': logCrashes, 'slow disk': slowDisks } = this.#happened
    return {
      ...read,
      seed: this.#options.seed ?? 1,
      trace: this.trace,
      traceHash: this.#world.traceHash,
      counts: {
        crashes: this.#instances.reduce((sum, { crashes }) => sum + crashes, 0),
        rebalances: rebalance,
        logCrashes,
        disconnects: disconnect,
        slowDisks,
        disturbedRequests: this.#disturbed,
        commits: this.#commits(),
        virtualMs: Math.round(this.#world.nowMs)
      }
    }
  }

  async #runAll(): Promise<SimulatedReading> {
    const simulated = await SimulatedLog.open({
      world: this.#world,
      machine: this.#logMachine,
      broker: { offsetsTopicPartitions: 1, transactionTopicPartitions: 1 },
      onEvent: (event) => this.#heard(event)
    })
    const log = simulated.from({ environment: this.#director })
    await this.#createTopics(log)
    const { instances = 3, topics = {} } = this.#options
    for (let i = 1; i <= instances; i++) this.#instances.push(this.#instance(`instance-${i}`, simulated))
    for (const instance of this.#instances) instance.start()
    await this.#feed(log, simulated)
    await this.#settle(log)
    const apps = this.#instances.flatMap(({ app }) => app ?? [])
    return await readEnd({ topology: this.#topology, topics, partitions: this.#partitions, log, apps })
  }

  async #createTopics(log: Log): Promise<void> {
    const topology = this.#topology
    const admin = log.admin()
    const read = topology.subtopologies.flatMap(({ sourceTopics }) => sourceTopics)
    const tables = topology.globalTables.map(({ topic }) => topic)
    const written = topology.nodes.flatMap((node) => (node.kind === 'sink' ? [node.topic] : []))
    const fed = this.#options.input.map(({ topic }) => topic)
    const given = Object.keys(this.#options.topics ?? {})
    for (const name of new Set([...read, ...tables, ...written, ...fed, ...given])) {
      await admin.ensureTopic({ name, partitions: this.#partitions, configs: KEPT })
    }
    await admin.close()
  }

  #instance(name: string, log: SimulatedLog): SimulatedInstance {
    const { errors } = this.#options
    const random = this.#random.split(name)
    return new SimulatedInstance({
      topology: this.#topology,
      machine: this.#world.machine(name),
      log,
      random,
      plan: this.#countedFaults(requestFaults(this.#faults, random.split('requests'))),
      options: {
        commitInterval: this.#commitInterval,
        createTopics: { partitions: this.#partitions, configs: KEPT },
        internalTopicConfigs: KEPT,
        sessionTimeout: '10s',
        ...(errors && { errors })
      },
      tell: (what) => this.#tell(what),
      failed: (error) => {
        this.#tell(`${name} failed: ${error}`)
        this.#failure ??= { error }
      }
    })
  }

  #countedFaults(plan: FaultPlan): FaultPlan {
    return (api, request) => {
      const fault = this.#healed ? undefined : plan(api, request)
      if (fault !== undefined) this.#disturbed++
      return fault
    }
  }

  async #feed(log: Log, simulated: SimulatedLog): Promise<void> {
    const { input } = this.#options
    const producer = log.producer()
    const random = this.#random.split('feeding')
    const blows = planBlows(this.#faults, {
      random: this.#random.split('blows'),
      records: input.length,
      instances: this.#instances.length
    })
    const struck: Promise<void>[] = []
    for (let fed = 0, struckTo = 0; fed <= input.length; fed++) {
      for (; struckTo < blows.length && blows[struckTo].afterRecords <= fed; struckTo++) {
        struck.push(this.#strike(blows[struckTo], simulated))
      }
      if (fed < input.length) this.#enqueue(producer, input[fed])
      if (random.chance(0.5)) await producer.flush()
      if (random.chance(0.3)) await this.#pause(random.between(0, 60))
    }
    await producer.close()
    this.#tell(`all ${input.length} records are fed`)
    // What was planned for a commit comes with one of these, if it comes at all.
    await this.#pause(500)
    for (const instance of this.#instances) instance.callOff()
    await Promise.all(struck)
    this.#healed = true
  }

  #enqueue(producer: Producer, record: SimulatedInput): void {
    const { topic, key, value, headers } = record
    const serdes = inputSerdes(this.#topology, topic, this.#options.topics?.[topic] ?? {})
    const keyBytes = key === null ? null : serdes.key.encode(key)
    const partition = record.partition ?? (keyBytes === null ? 0 : partitionForKey(keyBytes, this.#partitions))
    const bytes = value === null ? null : serdes.value.encode(value)
    const timestamp = record.timestamp ?? this.#director.clock.nowMs()
    producer.enqueue(topic, partition, keyBytes, bytes, timestamp, headers)
  }

  /** Does it, and undoes it later; resolves when all is as before. */
  async #strike({ kind, instance: index }: Blow, log: SimulatedLog): Promise<void> {
    const instance = this.#instances[index]
    const random = this.#random.split(kind)
    await this.#pause(random.between(0, 40))
    this.#happened[kind]++
    switch (kind) {
      case 'crash':
        await instance.crash()
        await this.#pause(2 ** random.between(0, 14))
        return instance.start()
      case 'rebalance':
        await instance.leave()
        await this.#pause(2 ** random.between(0, 12))
        return instance.start()
      case 'log crash': {
        if (this.#isLogDown) return
        this.#isLogDown = true
        const how = random.pick(['kill', 'power cut'] as const)
        this.#tell(`the log's machine crashes: ${how}`)
        log.crash(how)
        await this.#pause(2 ** random.between(0, 12))
        await log.restart()
        this.#isLogDown = false
        return this.#tell('the log is back')
      }
      case 'disconnect':
        instance.cut(true)
        await this.#pause(2 ** random.between(4, 15))
        return instance.cut(false)
      case 'slow disk': {
        const machine = random.pick([this.#logMachine, instance.machine])
        this.#tell(`the disk of ${machine.name} gets slow`)
        machine.disk.options = { syncLatencyMs: [20, 400] }
        await this.#pause(2 ** random.between(6, 12))
        machine.disk.options = {}
        return this.#tell(`the disk of ${machine.name} is as fast as before`)
      }
    }
  }

  /**
   * Resolves when all instances are up, in the group, and nothing has happened for a while.
   * @throws InvariantError that says how things are, when that takes too long.
   */
  async #settle(log: Log): Promise<void> {
    const admin = log.admin()
    const { clock } = this.#director
    const deadlineMs = clock.monotonicMs() + REST_LIMIT_MS
    // What was processed last is committed then; what is punctuated by the wall clock may commit forever.
    const enoughMs = Math.max(QUIET_MS, 2 * durationMs('commitInterval', this.#commitInterval, { leastMs: 1 }))
    for (let before = -1, quietMs = 0; quietMs < enoughMs; ) {
      await this.#pause(LOOK_MS)
      if (this.#failure !== undefined) throw this.#failure.error
      const { state, members } = await admin.describeGroup(this.#topology.name)
      const isComplete = state === 'Stable' && members.length === this.#instances.length
      const processed = this.#instances.reduce((sum, instance) => sum + instance.processedRecords, 0)
      const isQuiet = this.#instances.every(({ isIdle }) => isIdle) && processed === before
      before = processed
      quietMs = isQuiet && isComplete ? quietMs + LOOK_MS : 0
      if (clock.monotonicMs() < deadlineMs) continue
      const group = `the group is ${state} with ${members.length} members`
      throw new InvariantError(
        `it did not come to rest: ${[...this.#instances.map((instance) => instance.describe()), group].join('; ')}`
      )
    }
    await admin.close()
    this.#tell('everything is processed and committed')
  }

  get #commitInterval(): Duration {
    return this.#options.commitInterval ?? '20ms'
  }

  #commits(): number {
    return this.#instances.reduce((sum, { commits }) => sum + commits, 0)
  }

  /** Nothing may ever be damaged: torn ends and stale indexes are all that a crash leaves. */
  #heard(event: BrokerEvent): void {
    if (event.kind === 'compacted') return
    if (event.kind === 'damage') {
      this.#tell(event.report.message)
      if (event.report.kind === 'torn-tail' || event.report.kind === 'rebuilt') return
    }
    this.#failure ??= { error: new InvariantError(`the simulated log reports: ${JSON.stringify(event)}`) }
  }

  #pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#director.timers.set(durationMs, resolve)
    })
  }

  #tell(what: string): void {
    this.trace.push(`${this.#world.nowMs.toFixed(3)} ms: ${what}`)
  }
}
