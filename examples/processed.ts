import type { StreamsApp } from '@millrace/streams'

/**
 * Resolves once the application has committed that it processed so many records since its start; those of its internal topics count too. Rejects
 * when it fails.
 */
export async function processed(app: StreamsApp, records: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    app.done.catch(reject)
    const watching = app.metrics$.subscribe({
      next: ({ processedRecords }) => {
        if (processedRecords >= records) resolve()
      }
    })
    app.done.finally(() => watching.unsubscribe()).catch(() => {})
  })
}
