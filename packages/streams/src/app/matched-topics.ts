import type { Admin, Clock } from '@millrace/log'
import { hasPatterns, resolvePatterns } from '../graph/resolve-patterns.ts'
import type { Topology } from '../graph/topology.ts'
import { TopologyError } from '../graph/topology-error.ts'
import { planTopics, sourceTopicsOf, type TopicPlan } from './topic-plan.ts'

/** A topology with the topics that its patterns match, and what follows from their partitions. */
export interface Matched {
  readonly topology: Topology
  readonly plan: TopicPlan
}

/** What matched topics are found with. */
export interface MatchedTopicsParts {
  readonly admin: Pick<Admin, 'listTopics'>
  readonly clock: Clock
  /** Time between two looks for topics that came or went. */
  readonly refreshMs: number
  /** Makes and checks the internal topics. @throws CopartitionError, InternalTopicMismatchError */
  prepare(topology: Topology): Promise<TopicPlan>
}

/**
 * The topics that a topology's patterns match, as they come and go while it runs. Each member of the group looks for itself and says in its subscription
 * what it found; the leader gives out what any of them found; and a member that is given a topic it does not know takes it over. So nothing has to
 * be known to all at one time.
 */
export class MatchedTopics {
  readonly #given: Topology
  readonly #parts: MatchedTopicsParts
  #current: Matched
  #subscribed: readonly string[]
  #lookedMs: number

  private constructor(given: Topology, parts: MatchedTopicsParts, current: Matched) {
    this.#given = given
    this.#parts = parts
    this.#current = current
    this.#subscribed = topicsOf(current.topology)
    this.#lookedMs = parts.clock.monotonicMs()
  }

  /** @throws TopologyError when a pattern matches nothing, and what `prepare` throws. */
  static async open(given: Topology, parts: MatchedTopicsParts): Promise<MatchedTopics> {
    const topology = hasPatterns(given) ? resolvePatterns(given, await namesIn(parts.admin)) : given
    return new MatchedTopics(given, parts, { topology, plan: await parts.prepare(topology) })
  }

  get current(): Matched {
    return this.#current
  }

  /** What to subscribe to: the topics of all sources, repartition topics too. */
  get subscription(): readonly string[] {
    return this.#subscribed
  }

  /** What follows from the topics that members of the group know of, and their partitions. */
  among(partitions: ReadonlyMap<string, number>): Matched {
    const { topology, plan } = this.#current
    if (!hasPatterns(this.#given)) return this.#current
    const together = resolvePatterns(this.#given, [...topicsOf(topology), ...partitions.keys()])
    return { topology: together, plan: planTopics(together, new Map([...plan.partitions, ...partitions])) }
  }

  /** Takes over topics that the group's leader knows of. */
  async adopt(topics: Iterable<string>): Promise<void> {
    const known = new Set(topicsOf(this.#current.topology))
    const added = [...topics].filter((topic) => !known.has(topic))
    if (added.length === 0 || !hasPatterns(this.#given)) return
    await this.#use(resolvePatterns(this.#given, [...known, ...added]))
  }

  /**
   * Looks for topics that came or went, when it is time to.
   * @returns what to subscribe to from now on; undefined: as before.
   * @throws TopologyError when another pattern matches a new topic too, and what `prepare` throws.
   */
  async refresh(): Promise<readonly string[] | undefined> {
    const { admin, clock, refreshMs } = this.#parts
    if (!hasPatterns(this.#given) || clock.monotonicMs() - this.#lookedMs < refreshMs) return undefined
    this.#lookedMs = clock.monotonicMs()
    // A look that fails costs nothing: the next one follows.
    const existing = await namesIn(admin).catch(() => undefined)
    if (existing === undefined) return undefined
    const topology = this.#match(existing)
    if (!isSame(topicsOf(topology), topicsOf(this.#current.topology))) await this.#use(topology)
    const wanted = topicsOf(this.#current.topology)
    if (isSame(wanted, this.#subscribed)) return undefined
    this.#subscribed = wanted
    return wanted
  }

  /** A pattern whose last topic went keeps it: it may come again, and there is nothing else to read. */
  #match(existing: readonly string[]): Topology {
    try {
      return resolvePatterns(this.#given, existing)
    } catch (error) {
      if (!(error instanceof TopologyError)) throw error
      return resolvePatterns(this.#given, [...existing, ...topicsOf(this.#current.topology)])
    }
  }

  async #use(topology: Topology): Promise<void> {
    this.#current = { topology, plan: await this.#parts.prepare(topology) }
  }
}

async function namesIn(admin: Pick<Admin, 'listTopics'>): Promise<string[]> {
  return (await admin.listTopics()).map(({ name }) => name)
}

function topicsOf(topology: Topology): string[] {
  return topology.subtopologies.flatMap((subtopology) => sourceTopicsOf(topology, subtopology))
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  const known = new Set(left)
  return left.length === right.length && right.every((topic) => known.has(topic))
}
