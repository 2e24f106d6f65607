import { describe, expect, it } from 'vitest'
import { errorName } from '../../wire/errors.ts'
import { addPartitions, verifyPartitions } from './add-partitions.ts'
import type { TransactionDecision } from './decision.ts'
import { abortByCoordinator, completeTransaction, endTransaction } from './end-transaction.ts'
import { isExpired, isTimedOut } from './expiry.ts'
import { initProducerId } from './init-producer-id.ts'
import { isEnding, LAST_CLIENT_EPOCH, type ProducerIdentity, type Transaction } from './transaction.ts'

/**
 * One transactional id, driven through a script of requests. After each the outcome is one line: what was answered, and the state as
 * `status producerId/epoch (last epoch)`. Endings complete at once unless `hold` is set.
 */
class Script {
  state: Transaction | undefined
  hold = false
  nowMs = 1_000
  #nextId = 100

  init(expected?: ProducerIdentity): string {
    return this.#run((current, freshProducerId) =>
      initProducerId(current, {
        transactionalId: 'tx',
        timeoutMs: 60_000,
        expected,
        inProcess: false,
        freshProducerId,
        nowMs: this.nowMs
      })
    )
  }

  add(producer: ProducerIdentity, clientVersion: 0 | 2 = 2, partitions = [0]): string {
    const wanted = new Map([['topic', partitions]])
    return this.#run((current) =>
      addPartitions(current, { ...producer, partitions: wanted, clientVersion, nowMs: this.nowMs })
    )
  }

  verify(producer: ProducerIdentity, partitions = [0]): string {
    const wanted = new Map([['topic', partitions]])
    return this.#run((current) =>
      verifyPartitions(current, { ...producer, partitions: wanted, clientVersion: 0, nowMs: this.nowMs })
    )
  }

  end(producer: ProducerIdentity, commit: boolean, clientVersion: 0 | 2 = 2): string {
    return this.#run((current, freshProducerId) =>
      endTransaction(current, { ...producer, commit, clientVersion, freshProducerId, nowMs: this.nowMs })
    )
  }

  complete(): void {
    if (this.state !== undefined && isEnding(this.state)) this.state = completeTransaction(this.state, this.nowMs)
  }

  get line(): string {
    if (this.state === undefined) return 'nothing'
    const { status, producerId, producerEpoch, lastProducerEpoch } = this.state
    return `${status} ${producerId}/${producerEpoch} (${lastProducerEpoch})`
  }

  #run(decide: (current: Transaction | undefined, freshProducerId: number | undefined) => TransactionDecision): string {
    let fresh: number | undefined
    for (;;) {
      const decision = decide(this.state, fresh)
      if (decision.kind === 'refuse') return errorName(decision.errorCode)
      if (decision.kind === 'needs-producer-id') fresh = this.#nextId++
      else if (decision.kind === 'accept') return identity(decision.answer)
      else {
        this.state = decision.next
        if (decision.kind === 'abort-first') this.complete()
        else {
          if (!this.hold) this.complete()
          return identity(decision.answer)
        }
      }
    }
  }
}

function identity({ producerId, producerEpoch }: ProducerIdentity): string {
  return `${producerId}/${producerEpoch}`
}

function at(producerId: number, producerEpoch: number): ProducerIdentity {
  return { producerId, producerEpoch }
}

describe('a transactional id, protocol version 2', () => {
  it('bumps the epoch with every end, and tells it', () => {
    const script = new Script()
    expect(script.init()).toBe('100/0')
    expect(script.add(at(100, 0))).toBe('100/0')
    expect(script.line).toBe('Ongoing 100/0 (-1)')
    expect(script.end(at(100, 0), true)).toBe('100/1')
    expect(script.line).toBe('CompleteCommit 100/1 (0)')
    expect(script.add(at(100, 1))).toBe('100/1')
    expect(script.end(at(100, 1), false)).toBe('100/2')
    expect(script.line).toBe('CompleteAbort 100/2 (1)')
  })

  it('logs the bumped epoch with the decision, so that the markers carry it', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    script.hold = true
    script.end(at(100, 0), true)
    expect(script.line).toBe('PrepareCommit 100/1 (0)')
  })

  it('answers a repeated end as the first time', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    script.end(at(100, 0), true)
    expect(script.end(at(100, 0), true)).toBe('100/1')
    expect(script.end(at(100, 0), false)).toBe('INVALID_TXN_STATE')
    expect(script.line).toBe('CompleteCommit 100/1 (0)')
  })

  it('lets a delayed end of an earlier transaction touch nothing (KAFKA-17754)', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    script.end(at(100, 0), true)
    script.add(at(100, 1))
    expect(script.end(at(100, 0), true)).toBe('PRODUCER_FENCED')
    expect(script.end(at(100, 0), false)).toBe('PRODUCER_FENCED')
    expect(script.line).toBe('Ongoing 100/1 (0)')
  })

  it('takes an abort without partitions, which buys a new epoch', () => {
    const script = new Script()
    script.init()
    expect(script.end(at(100, 0), true)).toBe('INVALID_TXN_STATE')
    expect(script.end(at(100, 0), false)).toBe('100/1')
    expect(script.end(at(100, 1), false)).toBe('100/2')
  })

  it('moves to a new producer id when the epochs run out', () => {
    const script = new Script()
    script.init()
    for (let epoch = 0; epoch < LAST_CLIENT_EPOCH; epoch += 1) {
      script.add(at(100, epoch))
      script.end(at(100, epoch), true)
    }
    const last = at(100, LAST_CLIENT_EPOCH)
    script.add(last)
    script.hold = true
    expect(script.end(last, true)).toBe('101/0')
    expect(script.line).toBe(`PrepareCommit 100/${LAST_CLIENT_EPOCH + 1} (${LAST_CLIENT_EPOCH})`)
    script.complete()
    expect(script.line).toBe(`CompleteCommit 101/0 (${LAST_CLIENT_EPOCH})`)
    expect(script.end(last, true)).toBe('101/0')
    expect(script.end(last, false)).toBe('INVALID_TXN_STATE')
    expect(script.add(at(101, 0))).toBe('101/0')
    expect(script.end(last, true)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  it('sends everyone away while an end is under way', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    script.hold = true
    script.end(at(100, 0), true)
    const answers = [script.init(), script.add(at(100, 1)), script.end(at(100, 1), false), script.verify(at(100, 1))]
    expect(new Set(answers)).toEqual(new Set(['CONCURRENT_TRANSACTIONS']))
  })
})

describe('a transactional id, older protocol', () => {
  it('keeps its epoch', () => {
    const script = new Script()
    script.init()
    expect(script.add(at(100, 0), 0)).toBe('100/0')
    expect(script.end(at(100, 0), true, 0)).toBe('100/0')
    expect(script.end(at(100, 0), true, 0)).toBe('100/0')
    expect(script.end(at(100, 0), false, 0)).toBe('INVALID_TXN_STATE')
    expect(script.line).toBe('CompleteCommit 100/0 (-1)')
  })

  it('refuses to end what never began', () => {
    const script = new Script()
    script.init()
    expect(script.end(at(100, 0), false, 0)).toBe('INVALID_TXN_STATE')
  })

  it('verifies that a partition was added', () => {
    const script = new Script()
    script.init()
    expect(script.verify(at(100, 0))).toBe('TRANSACTION_ABORTABLE')
    script.add(at(100, 0), 0, [0, 2])
    expect(script.verify(at(100, 0), [2])).toBe('100/0')
    expect(script.verify(at(100, 0), [1])).toBe('TRANSACTION_ABORTABLE')
  })
})

describe('producer identity', () => {
  it.each([
    ['add', (script: Script, who: ProducerIdentity) => script.add(who)],
    ['end', (script: Script, who: ProducerIdentity) => script.end(who, true)],
    ['verify', (script: Script, who: ProducerIdentity) => script.verify(who)]
  ])('%s knows the producer by id and epoch', (_name, request) => {
    const script = new Script()
    expect(request(script, at(100, 0))).toBe('INVALID_PRODUCER_ID_MAPPING')
    script.init()
    script.init()
    script.add(at(100, 1))
    expect(request(script, at(7, 1))).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(request(script, at(100, 0))).toBe('PRODUCER_FENCED')
    expect(request(script, at(100, 2))).toBe('PRODUCER_FENCED')
  })

  it('fences the former producer of a transactional id, aborting what it had open', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    expect(script.init()).toBe('100/2')
    expect(script.line).toBe('Empty 100/2 (-1)')
    expect(script.end(at(100, 0), true)).toBe('PRODUCER_FENCED')
    expect(script.add(at(100, 1))).toBe('PRODUCER_FENCED')
  })

  it('gives a producer that says who it is its next epoch, and again when the answer was lost', () => {
    const script = new Script()
    script.init()
    expect(script.init(at(100, 0))).toBe('100/1')
    expect(script.init(at(100, 0))).toBe('100/1')
    expect(script.init(at(100, 1))).toBe('100/2')
    expect(script.init(at(100, 0))).toBe('PRODUCER_FENCED')
    expect(script.init(at(5, 0))).toBe('PRODUCER_FENCED')
  })

  it('aborts the open transaction of a producer that asks for its next epoch, and lets it go on', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    expect(script.init(at(100, 0))).toBe('100/1')
    script.add(at(100, 1))
    // A late repeat of that request is a zombie's by now.
    expect(script.init(at(100, 0))).toBe('PRODUCER_FENCED')
    expect(script.line).toBe('Ongoing 100/1 (0)')
  })

  it.each([
    ['that starts', undefined, 'Ongoing'],
    ['that says who it is', at(100, LAST_CLIENT_EPOCH), 'Ongoing'],
    ['that starts', undefined, 'Empty'],
    ['that says who it is', at(100, LAST_CLIENT_EPOCH), 'Empty']
  ] as const)('a producer %s gets a new id when the epochs are used up (%s, %s)', (_name, expected, status) => {
    const script = new Script()
    script.init()
    if (script.state !== undefined) script.state = { ...script.state, producerEpoch: LAST_CLIENT_EPOCH }
    if (status === 'Ongoing') script.add(at(100, LAST_CLIENT_EPOCH))
    expect(script.init(expected)).toBe('101/0')
    if (expected !== undefined) expect(script.init(expected)).toBe('101/0')
  })

  it('never tells a timed-out producer the epoch that fenced it', () => {
    const script = new Script()
    script.init()
    script.add(at(100, 0))
    if (script.state !== undefined) script.state = abortByCoordinator(script.state, { nowMs: 1, keepsProducer: false })
    script.complete()
    expect(script.line).toBe('CompleteAbort 100/1 (-1)')
    expect(script.end(at(100, 0), true)).toBe('PRODUCER_FENCED')
    expect(script.init(at(100, 0))).toBe('PRODUCER_FENCED')
    expect(script.init()).toBe('100/2')
  })
})

describe('time', () => {
  it('ends what is open for too long, and forgets what is idle for too long', () => {
    const script = new Script()
    script.init()
    const idle = script.state
    script.add(at(100, 0))
    const open = script.state
    if (idle === undefined || open === undefined) throw new TypeError('the script made no state')
    expect(isTimedOut(open, 61_000)).toBe(false)
    expect(isTimedOut(open, 61_001)).toBe(true)
    expect(isTimedOut(idle, Number.MAX_SAFE_INTEGER)).toBe(false)
    expect(isExpired(idle, 1_999, 1_000)).toBe(false)
    expect(isExpired(idle, 2_000, 1_000)).toBe(true)
    expect(isExpired(open, Number.MAX_SAFE_INTEGER, 1_000)).toBe(false)
  })
})
