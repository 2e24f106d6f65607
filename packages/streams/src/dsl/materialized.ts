import type { OpenStore } from '../graph/step.ts'

/** How a step keeps what it has to keep: Kafka Streams' Materialized, without the serdes, which steps are given as `key` and `value`. */
export interface Materialized {
  /** The store's name, under which it is queried; survives edits of the steps before it. Default: derived, not queryable. */
  readonly name?: string
  /**
   * Configurations of the changelog's topic when it is made, over those of all internal topics (`internalTopicConfigs`) and Millrace's own. False: no
   * changelog (Kafka Streams' `withLoggingDisabled`). The store is lost then with its machine's disk, and begins empty where its task moves to; of a
   * commit that a crash cuts off, its part may be missing. Default: a changelog with what the kind of store needs.
   */
  readonly changelog?: false | Readonly<Record<string, string>>
  /**
   * `memory`: the store is in memory, whatever the others are in, and is read from its changelog whenever its task starts (Kafka Streams'
   * `Stores.inMemory…`). Default: the application's engine.
   */
  readonly engine?: 'memory'
}

/** A store that a program names: by its name alone, or with how it is kept. */
export type NamedStore = string | (Materialized & { readonly name: string })

/** The part of a step's store that the program says. */
export function keptStore(store: string | Materialized | undefined): Pick<OpenStore, 'name' | 'changelog' | 'engine'> {
  if (typeof store !== 'object') return { name: store }
  const { name, changelog, engine } = store
  return {
    name,
    ...(changelog !== undefined && { changelog: changelog === false ? false : Object.freeze({ ...changelog }) }),
    ...(engine !== undefined && { engine })
  }
}
