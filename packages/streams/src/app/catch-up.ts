import { type Admin, partitionKey } from '@millrace/log'
import { internalTopicName } from '../graph/names.ts'
import type { Topology } from '../graph/topology.ts'
import { OffsetWaits } from './offset-waits.ts'

/** What of a task a catch-up looks at. */
export interface CatchingUpTask {
  readonly inputs: readonly { readonly topic: string; readonly partition: number }[]
  consumedOffsets(): readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
}

/** What a catch-up works with. */
export interface CatchUpParts {
  readonly admin: Pick<Admin, 'describeTopics' | 'listOffsets'>
  /** With the topics that its patterns match. */
  topology(): Topology
  /** Resolves when the global tables have taken over what is before these ends, by `topic-partition`. */
  globals?(ends: ReadonlyMap<string, number>): Promise<void>
  /** Has the thread look at once. */
  wake(): void
}

/**
 * Tells when the tasks of this instance have done all that there was to do at some instant. The topics are waited for in rounds: first those from
 * outside, to where they ended at the call; once that is committed, the internal topics that these feed, to where they end then; and so on down the
 * topology. So what comes meanwhile does not keep anybody waiting.
 */
export class CatchUp {
  readonly #parts: CatchUpParts
  readonly #waits = new OffsetWaits()

  constructor(parts: CatchUpParts) {
    this.#parts = parts
  }

  /**
   * Resolves when what was in the topics at the call, in all rounds, is committed.
   * @throws what the log throws when it is asked for the ends, and what `end` was given.
   */
  async caughtUp(): Promise<void> {
    const topology = this.#parts.topology()
    const [outside, ...internal] = topicRounds(topology)
    const [ends, ofGlobals] = await Promise.all([
      this.#endsOf(outside),
      this.#endsOf([...new Set(topology.globalTables.map(({ topic }) => topic))])
    ])
    await Promise.all([this.#reached(ends), ofGlobals.size > 0 ? this.#parts.globals?.(ofGlobals) : undefined])
    for (const topics of internal) await this.#reached(await this.#endsOf(topics))
  }

  /** The tasks have nothing uncommitted: whoever waits for no more than this goes on. */
  settled(tasks: readonly CatchingUpTask[]): void {
    if (!this.#waits.any) return
    const consumed = new Map<string, number>()
    for (const task of tasks) {
      // Of an input that is not known yet nothing is consumed.
      for (const { topic, partition } of task.inputs) consumed.set(partitionKey(topic, partition), 0)
      for (const { topic, partition, offset } of task.consumedOffsets()) {
        consumed.set(partitionKey(topic, partition), offset)
      }
    }
    this.#waits.readTo(consumed)
  }

  /** Nothing will be processed any more: whoever waits, or would, gets the error. */
  end(error: unknown): void {
    this.#waits.end(error)
  }

  #reached(ends: ReadonlyMap<string, number>): Promise<void> {
    const reached = this.#waits.until(ends)
    this.#parts.wake()
    return reached
  }

  /** Not the last stable offsets: the end of a transaction just committed may not be written to every partition yet. */
  async #endsOf(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (topics.length === 0) return new Map()
    const { admin } = this.#parts
    const described = await admin.describeTopics(topics)
    const queries = [...described.values()].flatMap(({ name, partitions }) =>
      partitions.map(({ index }) => ({ topic: name, partition: index, at: 'latest' as const }))
    )
    const ends = await admin.listOffsets(queries, 'read_uncommitted')
    return new Map([...ends].map(([at, { offset }]) => [at, offset]))
  }
}

/** Full names of the topics that tasks read: those from outside, then the internal ones by how many others their records come through at most. */
export function topicRounds(topology: Topology): readonly (readonly string[])[] {
  const rounds: string[][] = [[]]
  const roundOf = new Map<string, number>()
  for (const node of topology.nodes) {
    const above = Math.max(0, ...node.parents.map((parent) => roundOf.get(parent) ?? 0))
    roundOf.set(node.name, above)
    if (node.kind === 'repartition') {
      roundOf.set(node.name, above + 1)
      const round = rounds[above + 1] ?? []
      round.push(internalTopicName(topology.name, node.topic))
      rounds[above + 1] = round
    } else if (node.kind === 'source') {
      if (node.repartitionOf === undefined) rounds[0].push(...node.topics)
      else roundOf.set(node.name, roundOf.get(node.repartitionOf) ?? 0)
    }
  }
  return rounds
}
