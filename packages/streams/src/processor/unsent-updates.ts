import type { StoreDefinition } from '../graph/node.ts'
import { Windowed } from '../serde/windowed.ts'
import type { StoreCell } from '../state/store.ts'
import { identityOf } from '../state/store-entry.ts'
import { type CellIdentity, PendingUpdates, type RowBefore } from './pending-updates.ts'
import type { StageParticipant } from './task-context.ts'

/** What the nodes of a task hold back until the commit, for those below that go by what they were told. */
export class UnsentUpdates {
  readonly #read = new Map<string, CellIdentity>()
  readonly #pending = new Map<string, PendingUpdates>()

  /**
   * Asks for a node's rows as those below know them. To be called before the node itself is compiled.
   * @returns what a row was before the update that is held back; undefined where none is.
   */
  of(node: { readonly name: string; readonly store: StoreDefinition }): (key: unknown) => RowBefore | undefined {
    const { identity, ofCell } = identitiesOf(node.store)
    this.#read.set(node.name, ofCell)
    return (key) => this.#pending.get(node.name)?.before(identity(key))
  }

  /** Hears of what takes part in a node's stages. */
  note(node: string, participant: StageParticipant): void {
    const ofCell = this.#read.get(node)
    if (ofCell === undefined || !(participant instanceof PendingUpdates)) return
    participant.track(ofCell)
    this.#pending.set(node, participant)
  }
}

function identitiesOf(store: StoreDefinition): { identity: (key: unknown) => unknown; ofCell: CellIdentity } {
  const identity = identityOf(store.key)
  if (store.kind !== 'window') return { identity, ofCell: ({ key }: StoreCell) => identity(key) }
  const ofWindow = (key: unknown, startMs: number) => `${startMs} ${String(identity(key))}`
  return {
    identity: (key) => (key instanceof Windowed ? ofWindow(key.key, key.startMs) : undefined),
    ofCell: ({ key, windowStartMs }) => ofWindow(key, windowStartMs)
  }
}
