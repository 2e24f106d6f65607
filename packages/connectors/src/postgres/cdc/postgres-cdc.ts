import { BehaviorSubject } from 'rxjs'
import type { Positions, SourceContext } from '../../source.ts'
import { CdcSession } from './cdc-session.ts'
import type { CdcProgress, PostgresCdcOptions, PostgresCdcSource } from './options.ts'
import type { CdcPosition } from './position.ts'
import type { CdcSignal } from './signals.ts'
import { TableFilter } from './tables/table-filter.ts'

const NOTHING_YET: CdcProgress = {
  lsn: '0/0',
  lagBytes: 0,
  retainedBytes: undefined,
  safeBytes: undefined,
  walStatus: undefined,
  streamedBytes: 0,
  snapshots: []
}

/**
 * Captures the changes of a PostgreSQL database (14 or newer) as Debezium's change events: first the tables as they are, in chunks and without
 * locks while changes flow already, then every change in the order of the commits. Exactly once: a position is acknowledged to the server only
 * when the log holds all that came before it.
 *
 * @throws UsageError when no table is named. Opening it throws PostgresPreflightError (what the database lacks), PostgresAccessError,
 * PostgresSlotLostError, or TransientSourceError (not reachable now; the slot is still taken: its cause is PostgresSlotInUseError).
 */
export function postgresCdc(options: PostgresCdcOptions): PostgresCdcSource {
  const filter = new TableFilter(options.tables)
  const progress = new BehaviorSubject(NOTHING_YET)
  const signals: CdcSignal[] = []
  let wake: () => void = () => undefined
  const onSignal = (reader: () => void) => {
    wake = reader
  }
  return {
    name: options.name,
    progress$: progress.asObservable(),
    signal(signal) {
      signals.push(signal)
      wake()
    },
    open: (positions: Positions<CdcPosition>, context: SourceContext) =>
      CdcSession.open({ options, filter, positions, context, signals, onSignal, progress: (now) => progress.next(now) })
  }
}
