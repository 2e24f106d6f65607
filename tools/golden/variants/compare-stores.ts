import type { GoldenCase, GoldenEntry } from '../case.ts'
import type { RuntimeRun } from './runtime-run.ts'

/** Compares the stores that a case names, by key; undefined when they agree. `part` is the part of an entry that has to. */
export async function compareStores(
  { stores = {} }: GoldenCase,
  run: RuntimeRun,
  part: (entry: GoldenEntry) => readonly unknown[] = (entry) => entry
): Promise<string | undefined> {
  for (const [name, entries] of Object.entries(stores)) {
    const found = await run.ask(async (app) => {
      const rows: GoldenEntry[] = []
      for await (const { key, value, timestamp } of app.store<string, unknown>(name).all()) {
        rows.push([key, String(value), timestamp])
      }
      return rows
    })
    const [came, wanted] = [found, entries].map((rows) => JSON.stringify([...rows].sort(byKey).map(part)))
    if (came !== wanted) return `store ${name} at the end: came ${came}, expected ${wanted}`
  }
  return undefined
}

function byKey([one]: GoldenEntry, [other]: GoldenEntry): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
