import { errorName } from '../../wire/errors.ts'
import { emptyGroup, type Group, type GroupConfig, type GroupEffect } from './group.ts'
import { heartbeat } from './heartbeat.ts'
import { join } from './join.ts'
import { leave } from './leave.ts'
import { sync } from './sync.ts'
import { nextWakeMs, wake } from './wake.ts'

/** Limits of the scripts: short, so that the tables stay readable. */
export const scriptConfig: GroupConfig = {
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 100,
  groupMaxSessionTimeoutMs: 100_000,
  groupMaxSize: 4
}

/** Session timeout of every member of a script, milliseconds. */
export const SCRIPT_SESSION_MS = 10_000
/** Rebalance timeout of every member of a script, milliseconds. */
export const SCRIPT_REBALANCE_MS = 20_000

/**
 * Drives one group through lines of text, each a request or `+<ms>`, and tells what came of each as text, ending with the group's
 * state. Clients are named by a letter; a client's requests carry the member id that it was given last.
 *
 * - `join a [protocol,...] [as=instance] [v=3] [meta=x]`, `sync a gN [b=assignment ...]`, `heartbeat a gN`, `leave a`
 */
export class GroupScript {
  readonly group: Group
  nowMs = 0
  readonly memberIds = new Map<string, string>()
  readonly #config: GroupConfig
  readonly #tokens = new Map<number, string>()
  readonly #names = new Map<string, string>()
  readonly #instances = new Map<string, string>()
  #nextToken = 0
  #nextId = 0

  constructor(config: Partial<GroupConfig> = {}) {
    this.#config = { ...scriptConfig, ...config }
    this.group = emptyGroup('g', 0)
  }

  /** Runs one line and tells what came of it. */
  run(line: string): string {
    const [verb, client = '', ...rest] = line.split(/\s+/)
    const outcome = verb.startsWith('+') ? this.#advance(Number(verb)) : this.#request(verb, client, rest)
    return [...outcome, this.group.state].join('; ')
  }

  #request(verb: string, client: string, rest: readonly string[]): string[] {
    const options = new Map(
      rest.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string])
    )
    const words = rest.filter((word) => !word.includes('='))
    const memberId = this.memberIds.get(client) ?? ''
    const generation = Number(words[0]?.replace('g', '') ?? -1)
    const instanceId = this.#instances.get(client) ?? null
    switch (verb) {
      case 'join':
        return this.#join(client, words[0] ?? 'range', options)
      case 'sync': {
        const assignments = [...options].map(
          ([name, text]) => [this.memberIds.get(name) ?? name, Buffer.from(text)] as const
        )
        const input = { memberId, instanceId, generation, protocolType: null, protocolName: null }
        const token = this.#token(client)
        return this.#tell(sync(this.group, { ...input, token, assignments: new Map(assignments) }, this.nowMs))
      }
      case 'heartbeat':
        return [errorName(heartbeat(this.group, { memberId, instanceId, generation }, this.nowMs))]
      case 'leave': {
        const { errorCodes, effects } = leave(this.group, [{ memberId, instanceId }], {
          config: this.#config,
          nowMs: this.nowMs
        })
        return [...errorCodes.map(errorName), ...this.#tell(effects)]
      }
      default:
        throw new TypeError(`a script knows no ${verb}`)
    }
  }

  #join(client: string, protocols: string, options: ReadonlyMap<string, string>): string[] {
    const instanceId = options.get('as') ?? null
    if (instanceId !== null) this.#instances.set(client, instanceId)
    const version = Number(options.get('v') ?? 9)
    this.#nextId += 1
    const metadata = Buffer.from(options.get('meta') ?? client)
    const input = {
      token: this.#token(client),
      memberId: this.memberIds.get(client) ?? '',
      instanceId,
      clientId: client,
      clientHost: 'host',
      sessionTimeoutMs: Number(options.get('session') ?? SCRIPT_SESSION_MS),
      rebalanceTimeoutMs: SCRIPT_REBALANCE_MS,
      protocolType: options.get('type') ?? 'consumer',
      protocols: protocols.split(',').map((name) => ({ name, metadata })),
      freshMemberId: `${client}${this.#nextId}`,
      knowsMemberIdRequired: version >= 4,
      knowsSkipAssignment: version >= 9
    }
    return this.#tell(join(this.group, input, { config: this.#config, nowMs: this.nowMs }))
  }

  #token(client: string): number {
    this.#nextToken += 1
    this.#tokens.set(this.#nextToken, client)
    return this.#nextToken
  }

  /** Moves the clock to each deadline on the way. */
  #advance(ms: number): string[] {
    const untilMs = this.nowMs + ms
    const told: string[] = []
    for (;;) {
      const dueMs = nextWakeMs(this.group)
      if (dueMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, dueMs)
      told.push(...this.#tell(wake(this.group, { config: this.#config, nowMs: this.nowMs })))
    }
    this.nowMs = untilMs
    return told
  }

  #tell(effects: readonly GroupEffect[]): string[] {
    return effects.map((effect) => {
      if (effect.kind === 'persist') return 'persist'
      const client = this.#tokens.get(effect.token) ?? '?'
      const { answer } = effect
      if (effect.kind === 'sync-answer') {
        return `${client}: ${answer.errorCode === 0 ? `assigned ${effect.answer.assignment}` : errorName(answer.errorCode)}`
      }
      const joined = effect.answer
      if (joined.memberId !== '') {
        this.memberIds.set(client, joined.memberId)
        this.#names.set(joined.memberId, client)
      }
      if (joined.errorCode !== 0) return `${client}: ${errorName(joined.errorCode)}`
      const names = joined.members.map((member) => this.#names.get(member.memberId) ?? member.memberId)
      const leads = joined.leaderId === joined.memberId ? ` leads ${names.join('+')}` : ''
      return `${client}: g${joined.generation} ${joined.protocolName}${leads}${joined.skipAssignment ? ' skip' : ''}`
    })
  }
}
