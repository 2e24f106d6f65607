import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeGroupValue, encodeGroupValue } from '../offset-records.ts'
import { fenceCommit } from './commit-fencing.ts'
import { emptyGroup, type Group, type GroupConfig, type GroupEffect } from './group.ts'
import { groupMetadata, restoreGroup } from './group-snapshot.ts'
import { heartbeat } from './heartbeat.ts'
import { join } from './join.ts'
import { leave } from './leave.ts'
import { sync } from './sync.ts'
import { nextWakeMs, wake } from './wake.ts'

const config: GroupConfig = {
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 1,
  groupMaxSessionTimeoutMs: 1_000_000,
  groupMaxSize: 3
}

interface Step {
  readonly what: 'join' | 'sync' | 'heartbeat' | 'leave' | 'wait' | 'commit'
  readonly client: number
  readonly variant: number
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom('join', 'join', 'join', 'sync', 'sync', 'heartbeat', 'leave', 'wait', 'commit'),
    client: fc.integer({ min: 0, max: 3 }),
    variant: fc.constantFrom(0, 0, 1, 1, 2, 3)
  }),
  { minLength: 30, maxLength: 150 }
)

interface Client {
  memberId: string
  generation: number
}

/** A group with four clients that do anything at any time, and the properties that must hold after every step. */
class Run {
  readonly group: Group = emptyGroup('g', 0)
  readonly #clients: Client[] = Array.from({ length: 4 }, () => ({ memberId: '', generation: -1 }))
  readonly #openTokens = new Map<number, Client>()
  /** Per generation: who was told that it leads, the protocol, and all members told. */
  readonly #generations = new Map<number, { leader: string; protocol: string | null }>()
  readonly #config: GroupConfig
  #nowMs = 0
  #nextToken = 0

  constructor(delayMs: number) {
    this.#config = { ...config, groupInitialRebalanceDelayMs: delayMs }
  }

  step({ what, client, variant }: Step): void {
    const before = this.group.generation
    this.#observe(this.#effects(what, this.#clients[client], variant, client))
    expect(this.group.generation).toBeGreaterThanOrEqual(before)
    this.#check()
  }

  #effects(what: Step['what'], client: Client, variant: number, index: number): readonly GroupEffect[] {
    const context = { config: this.#config, nowMs: this.#nowMs }
    const identity = { memberId: client.memberId, instanceId: index === 0 ? 'static' : null }
    switch (what) {
      case 'join': {
        const token = this.#token(client)
        const protocols = (variant === 3 ? ['rr'] : variant === 2 ? ['range', 'rr'] : ['range']).map((name) => ({
          name,
          metadata: Buffer.from(`${variant}`)
        }))
        const input = {
          ...identity,
          token,
          clientId: `c${index}`,
          clientHost: 'h',
          sessionTimeoutMs: 50,
          rebalanceTimeoutMs: 80,
          protocolType: 'consumer',
          protocols,
          freshMemberId: `m${token}`,
          knowsMemberIdRequired: variant !== 1,
          knowsSkipAssignment: variant === 2
        }
        return join(this.group, input, context)
      }
      case 'sync': {
        const assignments = new Map([...this.group.members.keys()].map((id) => [id, Buffer.from(id)]))
        const names = { protocolType: null, protocolName: null }
        const token = this.#token(client)
        return sync(
          this.group,
          { ...identity, ...names, token, generation: client.generation, assignments },
          this.#nowMs
        )
      }
      case 'heartbeat':
        heartbeat(this.group, { ...identity, generation: client.generation }, this.#nowMs)
        return []
      case 'leave':
        return leave(this.group, [identity], context).effects
      case 'commit': {
        const errorCode = fenceCommit(
          this.group,
          { ...identity, generation: client.generation, transactional: variant > 1 },
          this.#nowMs
        )
        if (errorCode === 0 && client.generation >= 0) {
          // Nobody commits for a generation that is over, or under an id that is not a member's.
          expect(client.generation).toBe(this.group.generation)
          expect(this.group.members.has(client.memberId)).toBe(true)
        }
        return []
      }
      case 'wait':
        this.#nowMs += (variant + 1) * 20
        return wake(this.group, { config: this.#config, nowMs: this.#nowMs })
    }
  }

  #token(client: Client): number {
    this.#nextToken += 1
    this.#openTokens.set(this.#nextToken, client)
    return this.#nextToken
  }

  #observe(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'persist') {
        this.#checkRestart()
        continue
      }
      const client = this.#openTokens.get(effect.token)
      if (client === undefined) throw new TypeError(`token ${effect.token} was answered twice`)
      this.#openTokens.delete(effect.token)
      if (effect.kind === 'sync-answer') {
        if (effect.answer.errorCode === 0) expect(['', client.memberId]).toContain(effect.answer.assignment.toString())
        continue
      }
      const { answer } = effect
      client.memberId = answer.memberId
      if (answer.errorCode !== 0) continue
      client.generation = answer.generation
      const told = this.#generations.get(answer.generation)
      const leads = answer.leaderId === answer.memberId
      expect(answer.members.length > 0 || !leads).toBe(true)
      if (told === undefined)
        this.#generations.set(answer.generation, { leader: answer.leaderId, protocol: answer.protocolName })
      else expect(told.protocol).toBe(answer.protocolName)
    }
  }

  #check(): void {
    const { state, members, leaderId, protocolName, pendingSyncs } = this.group
    const held = new Set<number>()
    for (const member of members.values()) {
      if (member.joinToken !== undefined) held.add(member.joinToken)
      if (member.syncToken !== undefined) held.add(member.syncToken)
      if (member.joinToken !== undefined) expect(state).toBe('PreparingRebalance')
      if (member.syncToken !== undefined) expect(state).toBe('CompletingRebalance')
    }
    // Every request was answered once, or is held.
    expect([...this.#openTokens.keys()].sort()).toEqual([...held].sort())
    if (state === 'Empty') expect(members.size).toBe(0)
    for (const id of pendingSyncs) expect(members.has(id)).toBe(true)
    for (const id of this.group.staticMembers.values()) expect(members.has(id)).toBe(true)
    expect(members.size).toBeLessThanOrEqual(config.groupMaxSize)
    if (state !== 'CompletingRebalance' && state !== 'Stable') return
    expect(members.has(leaderId ?? '')).toBe(true)
    for (const member of members.values()) expect(member.protocols.map(({ name }) => name)).toContain(protocolName)
  }

  /** What was just logged, restored, is the group as it is, without what is lost on purpose. */
  #checkRestart(): void {
    const logged = groupMetadata(this.group)
    const restored = restoreGroup('g', decodeGroupValue(encodeGroupValue(logged)), this.#nowMs)
    expect(groupMetadata(restored)).toEqual(logged)
    expect(restored.staticMembers).toEqual(this.group.staticMembers)
    expect(restored.generation).toBe(this.group.generation)
    expect(restored.state).toBe(this.group.state)
  }

  /** With everyone silent, the group is empty in the end and nobody is left waiting. */
  drain(): void {
    for (let rounds = 0; rounds < 100 && nextWakeMs(this.group) !== Number.POSITIVE_INFINITY; rounds += 1) {
      this.#nowMs = Math.max(this.#nowMs, nextWakeMs(this.group))
      this.#observe(wake(this.group, { config: this.#config, nowMs: this.#nowMs }))
    }
    expect(this.group.state).toBe('Empty')
    expect([...this.#openTokens]).toEqual([])
  }
}

describe('a group under any interleaving of requests and time', () => {
  it.each([0, 30])('keeps its invariants, initial delay %d ms', (delayMs) => {
    fc.assert(
      fc.property(steps, (list) => {
        const run = new Run(delayMs)
        for (const step of list) run.step(step)
        run.drain()
      }),
      { numRuns: 500 }
    )
  })
})
