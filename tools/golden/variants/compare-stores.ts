import type { GoldenCase, GoldenEntry } from '../case.ts'
import type { Kept } from './raced.ts'
import type { RuntimeRun } from './runtime-run.ts'

/** Compares the stores that a case names, by key; undefined when they agree. `part` is the part of an entry that has to; undefined: nothing of it. */
export async function compareStores(
  { stores = {} }: GoldenCase,
  run: RuntimeRun,
  part: (entry: GoldenEntry, store: string) => readonly unknown[] | undefined = (entry) => entry
): Promise<string | undefined> {
  for (const [name, entries] of Object.entries(stores)) {
    const found = await run.ask(async (app) => {
      const rows: GoldenEntry[] = []
      for await (const { key, value, timestamp } of app.store<string, unknown>(name).all()) {
        rows.push([key, String(value), timestamp])
      }
      return rows
    })
    const [came, wanted] = [found, entries].map((rows) =>
      JSON.stringify(
        [...rows]
          .sort(byKey)
          .map((row) => part(row, name))
          .filter((row) => row !== undefined)
      )
    )
    if (came !== wanted) return `store ${name} at the end: came ${came}, expected ${wanted}`
  }
  return undefined
}

/** The part of an entry that is the same however internal topics are read. */
export function partKept(
  stores: ReadonlyMap<string, Kept>
): (entry: GoldenEntry, store: string) => readonly unknown[] | undefined {
  return (entry, store) => {
    const what = stores.get(store)
    return what === 'every' ? entry : what === 'last' ? entry.slice(0, 2) : undefined
  }
}

function byKey([one]: GoldenEntry, [other]: GoldenEntry): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
