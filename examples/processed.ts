import type { Log } from '@millrace/log'
import type { StreamsApp, Topology } from '@millrace/streams'
import { whenCaughtUp } from './caught-up.ts'

/** Resolves once so many records more are processed, committed, and seen by queries; those of internal topics count too. */
export type Processed = (records: number) => Promise<void>

/** Waits until what an earlier run has left is done, and counts from there. */
export async function whenReady(log: Log, app: StreamsApp, topology: Topology): Promise<Processed> {
  await whenCaughtUp(log, topology)
  const before = app.metrics().processedRecords
  const processed: Processed = (records) =>
    new Promise((resolve) => {
      const watching = app.metrics$.subscribe(({ processedRecords }) => {
        if (processedRecords >= before + records) resolve()
      })
      app.done.finally(() => watching.unsubscribe()).catch(() => undefined)
    })
  await processed(0)
  return processed
}
