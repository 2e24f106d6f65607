import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addPartitions } from './add-partitions.ts'
import type { TransactionDecision } from './decision.ts'
import { abortByCoordinator, completeTransaction, endTransaction } from './end-transaction.ts'
import { initProducerId } from './init-producer-id.ts'
import { isEnding, LAST_CLIENT_EPOCH, type ProducerIdentity, type Transaction } from './transaction.ts'

interface Step {
  readonly what: 'init' | 'bump' | 'add' | 'end' | 'late end' | 'timeout' | 'complete'
  /** Which of the producers, and of the sent requests, is meant. */
  readonly pick: number
  readonly commit: boolean
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom(
      'init',
      'bump',
      'add',
      'add',
      'add',
      'end',
      'end',
      'late end',
      'late end',
      'timeout',
      'complete',
      'complete'
    ),
    pick: fc.nat(1_000),
    commit: fc.boolean()
  }),
  { maxLength: 80 }
)

interface EndRequest extends ProducerIdentity {
  readonly commit: boolean
}

/**
 * One transactional id, two instances of its producer, and a network that keeps every EndTxn and delivers any of them again at any later
 * time. Only the newer protocol promises what is checked here.
 */
class Run {
  #state: Transaction | undefined
  #fresh = 0
  readonly #instances: (ProducerIdentity | undefined)[] = [undefined, undefined]
  readonly #sent: EndRequest[] = []
  /** Producer id and epoch of the transaction that is open. */
  #open: ProducerIdentity | undefined
  /** How each transaction ended, by the identity that wrote it. */
  readonly #outcomes = new Map<string, boolean>()
  readonly #handedOut = new Set<string>()

  constructor(firstEpoch: number) {
    this.#step({ what: 'init', pick: 0, commit: false })
    if (this.#state !== undefined) this.#state = { ...this.#state, producerEpoch: firstEpoch }
    this.#instances[0] = { producerId: 0, producerEpoch: firstEpoch }
  }

  run(list: readonly Step[]): void {
    for (const step of list) this.#step(step)
  }

  #step({ what, pick, commit }: Step): void {
    const index = pick % 2
    const self = this.#instances[index]
    switch (what) {
      case 'init':
        this.#init(index, undefined)
        break
      case 'bump':
        if (self !== undefined) this.#init(index, self)
        break
      case 'add':
        if (self !== undefined) this.#add(self)
        break
      case 'end':
        if (self !== undefined) {
          const request = { ...self, commit }
          this.#sent.push(request)
          this.#end(index, request)
        }
        break
      case 'late end':
        if (this.#sent.length > 0) this.#end(undefined, this.#sent[pick % this.#sent.length])
        break
      case 'timeout':
        if (this.#state?.status === 'Ongoing') {
          this.#install(abortByCoordinator(this.#state, { nowMs: 0, keepsProducer: false }))
        }
        break
      case 'complete':
        this.#complete()
        break
    }
  }

  #init(index: number, expected: ProducerIdentity | undefined): void {
    const answer = this.#decide((current, freshProducerId) =>
      initProducerId(current, {
        transactionalId: 'tx',
        timeoutMs: 1,
        expected,
        inProcess: false,
        freshProducerId,
        nowMs: 0
      })
    )
    if (answer === undefined) return
    const name = `${answer.producerId}/${answer.producerEpoch}`
    // An identity is given to one instance; it may get it again when it repeats its own request.
    if (expected === undefined) expect(this.#handedOut.has(name)).toBe(false)
    this.#handedOut.add(name)
    expect(answer.producerEpoch).toBeLessThanOrEqual(LAST_CLIENT_EPOCH)
    this.#instances[index] = answer
  }

  #add(self: ProducerIdentity): void {
    const partitions = new Map([['t', [0]]])
    const answer = this.#decide((current) =>
      addPartitions(current, { ...self, partitions, clientVersion: 2, nowMs: 0 })
    )
    if (answer === undefined) return
    if (this.#open === undefined) expect(this.#outcomes.has(`${self.producerId}/${self.producerEpoch}`)).toBe(false)
    else expect(this.#open).toEqual(self)
    this.#open = { producerId: self.producerId, producerEpoch: self.producerEpoch }
  }

  #end(index: number | undefined, request: EndRequest): void {
    const open = this.#open
    const before = this.#state?.status
    const answer = this.#decide((current, freshProducerId) =>
      endTransaction(current, { ...request, clientVersion: 2, freshProducerId, nowMs: 0 })
    )
    // KAFKA-17754: a request ends the transaction of its own identity and no other.
    if (open !== undefined && this.#open === undefined) {
      expect({ producerId: request.producerId, producerEpoch: request.producerEpoch }).toEqual(open)
    }
    if (answer === undefined) return
    expect(before).not.toBe('PrepareCommit')
    // Whoever is told that it ended was told the truth.
    expect(this.#outcomes.get(`${request.producerId}/${request.producerEpoch}`)).toBe(request.commit)
    if (index !== undefined) this.#instances[index] = answer
  }

  /** Carries decisions out as the host does, with endings completed later unless the decision itself needs it. */
  #decide(
    decide: (current: Transaction | undefined, fresh: number | undefined) => TransactionDecision
  ): ProducerIdentity | undefined {
    let fresh: number | undefined
    for (;;) {
      const decision = decide(this.#state, fresh)
      if (decision.kind === 'refuse') return undefined
      if (decision.kind === 'accept')
        return { producerId: decision.answer.producerId, producerEpoch: decision.answer.producerEpoch }
      if (decision.kind === 'needs-producer-id') {
        fresh = this.#fresh
        this.#fresh += 1
        continue
      }
      this.#install(decision.next)
      if (decision.kind === 'write') return decision.answer
      this.#complete()
    }
  }

  #install(next: Transaction): void {
    if (isEnding(next)) {
      const commit = next.status === 'PrepareCommit'
      // An abort that closes nothing still answers for the identity that asked.
      const ended = this.#open ?? { producerId: next.producerId, producerEpoch: next.producerEpoch - 1 }
      const name = `${ended.producerId}/${ended.producerEpoch}`
      expect(this.#outcomes.has(name)).toBe(false)
      this.#outcomes.set(name, commit)
      // The markers fence the identity that wrote.
      expect(next.producerEpoch).toBeGreaterThan(ended.producerEpoch)
      expect(next.producerEpoch).toBeLessThanOrEqual(32_767)
      this.#open = undefined
    }
    this.#state = next
  }

  #complete(): void {
    if (this.#state !== undefined && isEnding(this.#state)) this.#state = completeTransaction(this.#state, 0)
  }
}

describe('a transactional id under delayed and repeated requests', () => {
  it.each([0, LAST_CLIENT_EPOCH - 3])(
    'ends every transaction once, by its own request (first epoch %d)',
    (firstEpoch) => {
      fc.assert(
        fc.property(steps, (list) => {
          new Run(firstEpoch).run(list)
        }),
        { numRuns: 2_000 }
      )
    }
  )
})
