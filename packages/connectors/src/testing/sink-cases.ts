import assert from 'node:assert/strict'
import { SinkSetupError } from '../errors.ts'
import { ConnectErrorHeader, errorHeader } from '../runtime/dead-letters.ts'
import { sinkGroupId } from '../runtime/names.ts'
import { deadLetter } from '../runtime/policy.ts'
import type { Sink } from '../sink.ts'
import { Freezer } from './crashing-log.ts'
import type { SinkScene } from './sink-scene.ts'

const DEAD_LETTERS = 'dead-letters'

/** What is produced before, while and after it runs. */
export async function stopAndGoOn(scene: SinkScene): Promise<void> {
  await scene.produce(40)
  const first = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  await scene.produce(40)
  await scene.everythingOnce()
  await first.close()
  await scene.produce(40)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
}

/** Batches of one record, of a few bytes, and as large as can be. */
export async function deliverInPieces(scene: SinkScene): Promise<void> {
  for (const sizes of [{ batchRecords: 1 }, { batchBytes: 50 }, { batchRecords: 100_000 }, { batchRecords: 7 }]) {
    await scene.produce(60)
    const app = await scene.log.run(scene.connector(sizes))
    await scene.everythingOnce()
    await app.close()
  }
}

/**
 * The topic is deleted, and one of its name grows past the offsets in the target: nothing of it may be taken for written. A sink that cannot begin anew has
 * to say so.
 */
export async function topicMadeAnew(scene: SinkScene): Promise<void> {
  // Of others the group keeps the offsets, and lets go of those of deleted topics.
  if (scene.under.sink().delivery !== 'transactional') return
  await scene.produce(40)
  const app = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  await app.close()
  await scene.replaceTopic()
  await scene.produce(100)
  const again = await scene.log.run(scene.connector())
  const [connector] = again.connectors
  const state = await scene.eventually(
    'it to read the new topic, or to stop',
    () => connector.state,
    ({ status }) => status === 'failed' || connector.health().lag === 0
  )
  if (state.status === 'failed') return assert.ok(state.error instanceof SinkSetupError, `it stopped: ${state.error}`)
  await scene.everythingOnce()
}

/** The group's offsets are set back, as after a commit that was lost. */
export async function redeliver(scene: SinkScene): Promise<void> {
  await scene.produce(60)
  const app = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  await app.close()
  // Of an appending target only what its own transaction, or an id, protects can be repeated at all.
  const consumer = scene.log.log.consumer({ groupId: sinkGroupId(scene.under.sink().name) })
  await consumer.commit([0, 1, 2, 3].map((partition) => ({ topic: scene.topic, partition, offset: 0 })))
  await consumer.close()
  const again = await scene.log.run(scene.connector())
  await scene.produce(20)
  await scene.everythingOnce()
  await scene.eventually(
    'all of it to be read again',
    () => again.connectors[0].health().lag,
    (lag) => lag === 0
  )
  await scene.everythingOnce()
}

/** A second runner comes and goes. */
export async function shareAndGiveBack(scene: SinkScene): Promise<void> {
  await scene.produce(20)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
  const second = await scene.log.run(scene.connector())
  await scene.eventually(
    'the second runner to have partitions',
    () => second.connectors[0].metrics()['sink-task']?.['partition-count'],
    (count) => count !== undefined && count > 0
  )
  await scene.produce(40)
  await scene.everythingOnce()
  await second.close()
  await scene.produce(40)
  await scene.everythingOnce()
}

/** One bad record among others. */
export async function deadLetterPoison(scene: SinkScene): Promise<void> {
  const poison = scene.under.poison?.()
  if (poison === undefined) return
  await scene.produce(30)
  const offset = await scene.write([[1, poison]])
  await scene.produce(30)
  const app = await scene.log.run(scene.connector({ onError: deadLetter(DEAD_LETTERS), batchRecords: 50 }))
  await scene.everythingOnce()
  const [letter] = await scene.eventually(
    'a dead letter',
    () => scene.log.contents(DEAD_LETTERS),
    (letters) => letters.length > 0
  )
  assert.deepEqual([letter.key, letter.value], [poison.key, poison.value])
  assert.equal(errorHeader(letter.headers, ConnectErrorHeader.topic), scene.topic)
  assert.equal(errorHeader(letter.headers, ConnectErrorHeader.partition), '1')
  assert.equal(errorHeader(letter.headers, ConnectErrorHeader.offset), String(offset))
  assert.equal(errorHeader(letter.headers, ConnectErrorHeader.connector), scene.under.sink().name)
  await app.close()
  await scene.log.run(scene.connector({ onError: deadLetter(DEAD_LETTERS) }))
  await scene.produce(10)
  await scene.everythingOnce()
  assert.equal((await scene.log.contents(DEAD_LETTERS)).length, 1)
}

/** The same without a policy. */
export async function stopAtPoison(scene: SinkScene): Promise<void> {
  const poison = scene.under.poison?.()
  if (poison === undefined) return
  await scene.produce(30)
  const app = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  const offset = await scene.write([[2, poison]])
  const state = await scene.eventually(
    'it to stop before the bad record',
    () => app.connectors[0].state,
    ({ status }) => status === 'failed'
  )
  const error = state.status === 'failed' ? state.error : undefined
  assert.ok(error instanceof Error && 'offset' in error, 'what it stopped of names no record')
  assert.equal(error.offset, offset)
  await scene.everythingOnce()
}

/** Each write takes longer than records take to come. */
export async function slowTarget(scene: SinkScene): Promise<void> {
  const { sink } = scene.connector()
  await scene.produce(200)
  await scene.log.run(scene.connector({ sink: slowed(sink), batchRecords: 20 }))
  await scene.produce(100)
  await scene.everythingOnce()
}

function slowed(sink: Sink): Sink {
  const wait = () => new Promise((resolve) => setTimeout(resolve, 15))
  if (sink.delivery === 'idempotent') {
    return {
      name: sink.name,
      delivery: 'idempotent',
      open: (partitions, context) => sink.open(partitions, context),
      write: (batch) => wait().then(() => sink.write(batch)),
      close: () => sink.close()
    }
  }
  return {
    name: sink.name,
    delivery: 'transactional',
    open: (partitions, context) => sink.open(partitions, context),
    write: (batch, offsets) => wait().then(() => sink.write(batch, offsets)),
    close: () => sink.close()
  }
}

/** Away before it is opened, and again in the middle. */
export async function goesAway(scene: SinkScene): Promise<void> {
  const { under } = scene
  if (under.away === undefined || under.back === undefined) return
  await under.away()
  await scene.produce(40)
  const app = await scene.log.run(scene.connector({ batchRecords: 5 }))
  const [connector] = app.connectors
  await scene.eventually(
    'it to notice that the target is away',
    () => connector.health().lastFailure,
    (failure) => failure !== undefined
  )
  await under.back()
  await scene.everythingOnce()
  await under.away()
  await scene.produce(40)
  const retries = connector.metrics()['task-error']['total-retries']
  await scene.eventually(
    'it to try again',
    () => connector.metrics()['task-error']['total-retries'],
    (count) => count > retries
  )
  await under.back()
  await scene.everythingOnce()
}

/** Records of a newer schema come between others. */
export async function schemaChange(scene: SinkScene): Promise<void> {
  if (scene.under.changeSchema === undefined) return
  await scene.produce(30)
  const app = await scene.log.run(scene.connector())
  await scene.everythingOnce()
  await scene.under.changeSchema()
  await scene.produce(30)
  await scene.everythingOnce()
  await app.close()
  await scene.produce(30)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
}

/** The process ends at a step, and another begins. */
export async function killAt(scene: SinkScene, freezer: Freezer): Promise<void> {
  const policy = scene.under.poison === undefined ? {} : { onError: deadLetter(DEAD_LETTERS) }
  const poisons: number[] = []
  const poison = async () => {
    const content = scene.under.poison?.()
    if (content !== undefined) poisons.push(await scene.write([[3, content]]))
  }
  await scene.produce(20)
  const app = await scene.log.run(scene.connector({ batchRecords: 6, ...policy }), freezer)
  const feeding = (async () => {
    for (let i = 0; i < 6; i++) {
      await poison()
      await scene.produce(15)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    // Closing and giving partitions back are steps too.
    await Promise.race([app.close(), freezer.frozen])
    return 'fed'
  })()
  await Promise.race([freezer.frozen, feeding])
  await feeding
  await scene.under.kill?.()
  await scene.log.crash()
  await scene.produce(20)
  await scene.log.run(scene.connector(policy))
  await scene.everythingOnce()
  if (poisons.length === 0) return
  const letters = await scene.eventually(
    'all dead letters',
    () => scene.log.contents(DEAD_LETTERS),
    (found) => found.length >= poisons.length
  )
  const offsets = letters.map(({ headers }) => Number(errorHeader(headers, ConnectErrorHeader.offset)))
  assert.deepEqual(
    offsets.toSorted((a, b) => a - b),
    poisons
  )
}

/** The process ends while the sink writes: `turns` of the event loop after a write has begun. */
export async function killWithin(scene: SinkScene, turns: number): Promise<void> {
  const { sink } = scene.connector()
  // Of a target without transactions the rest of a batch comes later, and again.
  if (sink.delivery !== 'transactional') return
  const freezer = new Freezer()
  const begun = Promise.withResolvers<void>()
  const taken = new Set<number>()
  let writes = 0
  let isOver = false
  const dying: Sink = {
    name: sink.name,
    delivery: 'transactional',
    open: (partitions, context) => sink.open(partitions, context),
    async write(batch, offsets) {
      const writing = sink.write(batch, offsets)
      if (++writes < 3) {
        await writing
        for (const { partition } of offsets) taken.add(partition)
        return
      }
      // Its process hears nothing any more of what comes of it.
      const over = () => {
        isOver = true
      }
      writing.then(over, over)
      begun.resolve()
      await freezer.freeze()
    },
    close: () => sink.close()
  }
  await scene.produce(60)
  await scene.log.run(scene.connector({ sink: dying, batchRecords: 6 }), freezer)
  await begun.promise
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  await scene.under.kill?.()
  const offsets = await scene.openElsewhere()
  for (const partition of taken) {
    const known = offsets.some((offset) => offset.partition === partition)
    assert.ok(known, `the target has taken records of partition ${partition}, and knows no offset of it`)
  }
  const rows = await scene.rows()
  await scene.eventually(
    'the write of the one that was killed to end',
    () => isOver,
    (over) => over
  )
  assert.deepEqual(await scene.rows(), rows, 'rows were written by one whose partitions another has opened')
  assert.deepEqual(
    await scene.openElsewhere(),
    offsets,
    'offsets were moved by one whose partitions another has opened'
  )
  await scene.log.crash()
  await scene.produce(20)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
}

/** A run sleeps with a batch in its hands, another one takes over, and then it wakes up. */
export async function zombie(scene: SinkScene, freezer: Freezer): Promise<void> {
  // Of a target without transactions, only the target itself could know.
  if (scene.under.sink().delivery !== 'transactional') return
  await scene.produce(60)
  await scene.log.run(scene.connector({ batchRecords: 10 }), freezer)
  await freezer.frozen
  await scene.log.crash()
  await scene.produce(60)
  await scene.log.run(scene.connector())
  await scene.everythingOnce()
  freezer.thaw()
  await scene.produce(10)
  await scene.everythingOnce()
  await new Promise((resolve) => setTimeout(resolve, 100))
  await scene.everythingOnce()
}
