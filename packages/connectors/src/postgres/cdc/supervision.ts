import type { Environment, Timer } from '@millrace/log'
import type { ConnectorEvent } from '../../connector-event.ts'
import type { PostgresClient } from '../driver.ts'
import { PostgresSlotLostError } from './errors.ts'
import { type CoveredTables, ensurePublication, type PublicationParts, publicationState } from './publication.ts'
import { readSlot, type SlotState } from './slot.ts'

/** What is watched while the source runs. */
export interface SupervisionParts {
  readonly environment: Environment
  readonly client: PostgresClient
  readonly slot: string
  readonly publication: PublicationParts
  readonly intervalMs: number
  readonly warnRetainedBytes: number
  readonly report: (event: ConnectorEvent) => void
  readonly observed: (slot: SlotState | undefined) => void
  readonly covered: (tables: CoveredTables) => void
  /** Throws when the publication is not the one that the stream began with. */
  readonly checkPublication: (id: number | undefined) => void
  /** Changes are lost: the source must not go on. */
  readonly lost: (error: PostgresSlotLostError) => void
}

/** Looks now and then at the slot, and for tables that are new. */
export class Supervision {
  readonly #parts: SupervisionParts
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()
  #isClosed = false
  #warned = false
  readonly #unfit = new Set<string>()

  constructor(parts: SupervisionParts) {
    this.#parts = parts
    this.#schedule()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#running
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#parts.environment.timers.set(
      this.#parts.intervalMs,
      () => {
        this.#running = this.#look().finally(() => this.#schedule())
      },
      { background: true }
    )
  }

  async #look(): Promise<void> {
    const { client, slot, publication, observed, covered, checkPublication, lost, report } = this.#parts
    try {
      const state = await readSlot(client, slot)
      observed(state)
      if (state) this.#warn(state)
      // The server only notes that a publication is not there (PostgreSQL 18), and delivers nothing.
      checkPublication((await publicationState(client, publication.publication))?.id)
      const tables = await ensurePublication(publication)
      this.#warnOfUnfit(tables)
      covered(tables)
    } catch (error) {
      if (error instanceof PostgresSlotLostError) lost(error)
      if (this.#isClosed) return
      const message = error instanceof Error ? error.message : String(error)
      report({
        level: 'warning',
        code: 'check-failed',
        message: `cannot look at slot ${slot} and the tables: ${message}`
      })
    }
  }

  /** Tables that are not captured, since the application could not change them any more. */
  #warnOfUnfit({ left }: CoveredTables): void {
    for (const { setting, fix } of left) {
      if (this.#unfit.has(setting)) continue
      this.#unfit.add(setting)
      const message = `${setting}: it has none, so that it is not captured while that is so. Fix: ${fix}`
      this.#parts.report({ level: 'warning', code: 'table-without-identity', message })
    }
  }

  #warn(state: SlotState): void {
    const { warnRetainedBytes, slot, report } = this.#parts
    const isMuch = state.retainedBytes > warnRetainedBytes || state.walStatus === 'unreserved'
    if (isMuch && !this.#warned) {
      const safe = state.safeBytes === undefined ? '' : `, and gives the slot up after ${state.safeBytes} more`
      report({
        level: 'warning',
        code: 'wal-retained',
        message: `the server keeps ${state.retainedBytes} bytes of its log for slot ${slot}${safe}: this source is behind`
      })
    }
    this.#warned = isMuch
  }
}
