import type { Serde } from '../serde/serde.ts'
import { storeName } from './names.ts'
import type { StoreDefinition } from './node.ts'
import type { OpenSerdes, OpenStore, Step } from './step.ts'
import { MissingSerdeError, TopologyError } from './topology-error.ts'

/** Where a node is made: for names, and for errors. */
export interface Place {
  readonly topology: string
  readonly name: string
  readonly parents: readonly string[]
}

/**
 * A step's store with its name and serdes.
 * @param part Tells the stores of a step apart that has several.
 * @throws MissingSerdeError
 */
export function makeStore(step: Step, open: OpenStore, place: Place, part?: string): StoreDefinition {
  if (open.defined !== undefined) return open.defined
  const { wholeName = false, ...rest } = open
  const named = part === undefined && open.name !== undefined
  const derived = storeName(step, open.name)
  // A foreign-key join names all it makes together, and says itself whether the program gave that name.
  const mark = step.body.kind === 'foreign-key-answer' ? {} : derivedMark(open.name)
  const name = part === undefined || wholeName ? derived : `${derived}-${part}`
  return Object.freeze({ ...rest, ...completeSerdes(open, place), name, named, ...mark })
}

/** Marks what has no name of the program's in it. */
export function derivedMark(given: string | undefined): { readonly derivedName?: true } {
  return given === undefined ? { derivedName: true } : {}
}

/**
 * Serdes that are there, and are serdes.
 * @throws MissingSerdeError
 * @throws TopologyError for something else in a serde's place
 */
export function completeSerdes(
  { key, value }: OpenSerdes,
  place: Place
): { key: Serde<unknown>; value: Serde<unknown> } {
  if (key === undefined) throw new MissingSerdeError({ topology: place.topology, node: place.name, missing: 'key' })
  if (value === undefined) throw new MissingSerdeError({ topology: place.topology, node: place.name, missing: 'value' })
  checkSerde('key', key, place)
  checkSerde('value', value, place)
  return { key, value }
}

/** What slipped past the types: `string` for `string()`. */
function checkSerde(slot: 'key' | 'value', serde: Serde<unknown>, { topology, name: node }: Place): void {
  if (typeof serde.encode === 'function' && typeof serde.decode === 'function') return
  const remedy = typeof serde === 'function' ? 'call it: string(), not string' : 'give one, e.g. json()'
  throw new TopologyError({ topology, node, problem: `its ${slot} serde is none: ${remedy}` })
}
