import type { Environment, Producer, TopicMetadata } from '@millrace/log'
import { LevelEngine, MemoryEngine, type StateEngine, StoreDamagedError } from '@millrace/streams'
import type { Life } from './life.ts'
import { ensureCompacted, findTopic, stateTopic } from './names.ts'
import { readToEnd } from './read-topic.ts'
import { StagedState, type StateStage } from './source-state.ts'

/** After this long without a commit, tombstones may be gone that a store never saw: Kafka's default of `delete.retention.ms`. */
const TOMBSTONES_KEPT_MS = 24 * 60 * 60 * 1000

/** Opens an engine in a directory. */
export type EngineOpener = (path: string, environment: Environment) => Promise<StateEngine>

/**
 * A source's state between its topic, which survives the loss of everything local, and the engine, which saves reading all of the topic at
 * each start: only what was committed after the engine's last write is read again.
 */
export class SourceStateStore {
  readonly state: StagedState
  readonly #life: Life
  #topic: TopicMetadata | undefined

  private constructor(life: Life, state: StagedState, topic: TopicMetadata | undefined) {
    this.#life = life
    this.state = state
    this.#topic = topic
  }

  /** Opens and restores it. Call it after the producer has fenced its predecessor. A damaged engine is emptied and filled anew. */
  static async open(life: Life, openEngine: EngineOpener = LevelEngine.open): Promise<SourceStateStore> {
    const topic = await findTopic(life.log, stateTopic(life.name))
    const open = () => openIn(life, openEngine)
    const state = new StagedState(open)
    try {
      if (topic !== undefined) await restore(life, state, topic)
      return new SourceStateStore(life, state, topic)
    } catch (error) {
      await state.close()
      if (!(error instanceof StoreDamagedError) || life.stateDirectory === undefined) throw error
      const message = `${error.message} (source ${life.name})`
      life.report({ level: 'warning', code: 'state-rebuilt', message })
      life.environment.files.removeDirectory(life.stateDirectory)
      const anew = new StagedState(open)
      if (topic !== undefined) await restore(life, anew, topic)
      return new SourceStateStore(life, anew, topic)
    }
  }

  /** Makes the topic with the first change ever. Before the transaction begins. */
  async prepare(): Promise<void> {
    if (this.#topic !== undefined) return
    this.#topic = await ensureCompacted(this.#life.log, stateTopic(this.#life.name), 1)
    // Whatever is in the directory belongs to another topic.
    if (this.#life.stateDirectory !== undefined) await this.state.clear()
  }

  /** Adds changes to the producer's transaction. */
  write(producer: Producer, changes: StateStage['changes'], atMs: number): void {
    const topic = stateTopic(this.#life.name)
    for (const [name, value] of changes) producer.enqueue(topic, 0, Buffer.from(name, 'latin1'), value, atMs)
  }

  /** The transaction with the changes is committed. */
  async apply(producer: Producer, changes: StateStage['changes'], upTo: number): Promise<void> {
    if (changes.size === 0 || this.#topic === undefined) return
    const offset = producer.lastOffset(stateTopic(this.#life.name), 0) + 1
    const atMs = this.#life.environment.clock.nowMs()
    await this.state.apply(changes, upTo, { topicId: this.#topic.topicId, offset, atMs })
  }

  close(): Promise<void> {
    return this.state.close()
  }
}

function openIn({ stateDirectory, environment }: Life, openEngine: EngineOpener): Promise<StateEngine> {
  return stateDirectory === undefined
    ? Promise.resolve(new MemoryEngine())
    : openEngine(`${stateDirectory}/state`, environment)
}

async function restore(life: Life, state: StagedState, { name, topicId }: TopicMetadata): Promise<void> {
  await state.load()
  const mark = state.mark()
  const nowMs = life.environment.clock.nowMs()
  const usable = mark !== undefined && mark.topicId === topicId && nowMs - mark.atMs < TOMBSTONES_KEPT_MS
  if (mark !== undefined && !usable) {
    const why = mark.topicId === topicId ? 'it is older than tombstones are kept' : 'the topic was made anew'
    life.report({
      level: 'info',
      code: 'state-rebuilt',
      message: `the state of source ${life.name} is read anew: ${why}`
    })
    await state.clear()
  }
  const fromOffset = usable ? mark.offset : 0
  for await (const { records, nextOffset } of readToEnd(life.log, { topic: name, partitions: [0], fromOffset })) {
    const changes = new Map<string, Buffer | null>()
    for (const { key, value } of records) if (key !== null) changes.set(key.toString('latin1'), value)
    await state.restore(changes, { topicId, offset: nextOffset, atMs: nowMs })
  }
}
