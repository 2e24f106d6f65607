import { type Consumer, type Log, type TopicPartition, ZERO_UUID } from '@millrace/log'
import type { OpenedPartition } from '../sink.ts'
import { sleep } from '../sleep.ts'
import { type SinkConnector, type SinkSettings, sinkSettings, supervisionSettings } from './connector.ts'
import type { Life, LifeEnd } from './life.ts'
import { isInternalTopic, sinkGroupId } from './names.ts'
import type { OffsetEdit } from './offset-edits.ts'
import { SinkSession } from './sink-session.ts'

const POLL_MS = 100
/** Also how soon a topic is noticed that was not there when the sink joined its group, as when its source is about to make it. */
const HEARTBEAT_MS = 500

/**
 * One life of a sink: a member of the group `connect-<name>`, which reads committed records and gives them to the sink in batches, in order.
 *
 * Each assignment is a session: the sink is opened for its partitions, which raises the epoch of a transactional target and gives the offsets to begin
 * at; when partitions are taken away, what is under way is finished, and the sink closed.
 */
export async function runSink(
  connector: SinkConnector,
  life: Life,
  pendingEdit: () => Promise<OffsetEdit | undefined>
): Promise<LifeEnd> {
  const settings = sinkSettings(connector)
  while (!life.signal.aborted) {
    const topics = await topicsOf(life.log, connector)
    if (topics.length > 0) await new SinkRun({ connector, life, settings, pendingEdit }).run(topics)
    else {
      life.running()
      await sleep(life.environment, settings.topicRefreshMs, life.signal)
    }
  }
  return 'stopped'
}

/** The topics that a sink reads now: those it names, or those that its pattern matches, but for its own dead letters and the runtime's topics. */
export async function topicsOf(log: Log, { topics, onError }: SinkConnector): Promise<readonly string[]> {
  if (!(topics instanceof RegExp)) return topics
  const admin = log.admin()
  try {
    const names = (await admin.listTopics()).map(({ name }) => name)
    const own = onError?.kind === 'dead-letter' ? onError.topic : undefined
    // `search` begins at the start whatever the pattern's flags are.
    return names.filter((name) => name !== own && !isInternalTopic(name) && name.search(topics) >= 0).sort()
  } finally {
    await admin.close()
  }
}

/** The partitions with the ids that their topics have now. */
async function openedPartitions(log: Log, partitions: readonly TopicPartition[]): Promise<readonly OpenedPartition[]> {
  const admin = log.admin()
  try {
    const topics = new Map((await admin.listTopics()).map((topic) => [topic.name, topic]))
    return partitions.map(({ topic, partition }) => {
      const topicId = topics.get(topic)?.topicId
      return { topic, partition, topicId: topicId === ZERO_UUID ? undefined : topicId }
    })
  } finally {
    await admin.close()
  }
}

interface SinkRunParts {
  readonly connector: SinkConnector
  readonly life: Life
  readonly settings: SinkSettings
  readonly pendingEdit: () => Promise<OffsetEdit | undefined>
}

class SinkRun {
  readonly #parts: SinkRunParts
  readonly #consumer: Consumer
  #session: SinkSession | undefined
  #paused = false

  constructor(parts: SinkRunParts) {
    const { life, settings } = parts
    this.#parts = parts
    const groupId = sinkGroupId(life.name)
    this.#consumer = life.log.consumer({
      groupId,
      offsetReset: settings.offsetReset,
      heartbeatIntervalMs: HEARTBEAT_MS
    })
  }

  /** Until the life ends, or other topics match. */
  async run(topics: readonly string[]): Promise<void> {
    const { life } = this.#parts
    const unwatch = life.gate.watch(() => this.#session?.wake())
    this.#consumer.subscribe(topics, {
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: () => this.#finish('given-up'),
      onLost: () => this.#finish('lost')
    })
    try {
      life.running()
      await this.#poll(topics)
    } finally {
      unwatch()
      await this.#finish('given-up')
      await this.#consumer.close()
    }
  }

  async #poll(topics: readonly string[]): Promise<void> {
    const { life, settings } = this.#parts
    const { clock } = life.environment
    let refreshedMs = clock.monotonicMs()
    while (!life.signal.aborted) {
      for (const fetched of await this.#consumer.poll(POLL_MS)) {
        // Its offsets are of a topic that is gone: the next session asks the target for those of this one.
        if (this.#session?.isOfAnotherTopic(fetched)) return this.#finish('lost')
        this.#session?.add(fetched)
      }
      this.#session?.throwFailure()
      this.#throttle()
      if (clock.monotonicMs() - refreshedMs < settings.topicRefreshMs) continue
      refreshedMs = clock.monotonicMs()
      if (await this.#topicsChanged(topics)) return
    }
  }

  async #topicsChanged(topics: readonly string[]): Promise<boolean> {
    const { connector, life } = this.#parts
    if (!(connector.topics instanceof RegExp)) return false
    const now = await topicsOf(life.log, connector)
    return now.length !== topics.length || now.some((topic, i) => topic !== topics[i])
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { connector, life, settings } = this.#parts
    await this.#finish('given-up')
    await life.step('sink:assigned')
    if (partitions.length === 0 || life.signal.aborted) return
    const session = new SinkSession({
      connector,
      life,
      settings,
      partitions: await openedPartitions(life.log, partitions),
      consumer: this.#consumer,
      backoff: supervisionSettings(connector).backoff,
      edit: await this.#parts.pendingEdit(),
      roomMade: () => this.#throttle()
    })
    this.#session = session
    this.#paused = false
    await session.open()
  }

  /** Holds the fetches back while the sink is behind or paused. Polls go on: they keep the partitions. */
  #throttle(): void {
    const session = this.#session
    if (session === undefined) return
    const hold = session.full || !this.#parts.life.gate.open
    if (hold === this.#paused) return
    this.#paused = hold
    if (hold) this.#consumer.pause(this.#consumer.assignment())
    else this.#consumer.resume(this.#consumer.assignment())
  }

  async #finish(how: 'given-up' | 'lost'): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.finish(how)
  }
}
