import { missingPostgres } from '@millrace/connectors/testing/postgres'
import { describe, expect, it } from 'vitest'
import { soakConnectors } from '../tools/soak/connectors/connectors-soak.ts'
import { STOCK_ROWS } from '../tools/soak/connectors/shop.ts'
import { soakSnapshot } from '../tools/soak/connectors/snapshot-soak.ts'

/**
 * More seeds: `npm run soak -- connectors --seeds A..B`. The large transaction has 100,000 rows in the first seed, and fewer in the others, for the
 * time's sake; in the soak it has as many in all.
 */
const SEEDS = [
  { seed: 1, largeRows: 100_000, kills: 3 },
  { seed: 2, largeRows: 10_000, kills: 2 },
  { seed: 3, largeRows: 10_000, kills: 2 },
  { seed: 4, largeRows: 10_000, kills: 2 },
  { seed: 5, largeRows: 10_000, kills: 2 }
]
const SNAPSHOT_ROWS = 50_000
const missing = missingPostgres()

describe.skipIf(missing)(`tables kept equal to others ${missing ?? ''}`, { timeout: 900_000 }, () => {
  it.concurrent.each(SEEDS)(
    'seed $seed: views, sink and SQL agree, and nothing was written twice',
    async ({ seed, largeRows, kills }) => {
      const figures = await soakConnectors(seed, { kills, largeRows }).catch((error: unknown) => {
        throw new AggregateError(
          [error],
          `again: npm run soak -- connectors --seeds ${seed}..${seed} --large ${largeRows} --kills ${kills} --verbose`
        )
      })
      expect(figures.kills).toBe(kills)
      expect(figures.snapshotRows).toBeGreaterThanOrEqual(STOCK_ROWS)
      expect(figures.changes).toBeGreaterThan(largeRows)
    }
  )

  it('a snapshot that is killed goes on where it was, while the table is written to', async () => {
    const { kills, rowsAtKills, rowsRead, rowsChanged } = await soakSnapshot(1, { rows: SNAPSHOT_ROWS, kills: 3 })
    expect(kills).toBe(3)
    expect(rowsAtKills.every((rows) => rows > 0 && rows < SNAPSHOT_ROWS)).toBe(true)
    expect(rowsAtKills).toEqual(rowsAtKills.toSorted((a, b) => a - b))
    expect(new Set(rowsAtKills).size).toBe(kills)
    expect(rowsRead).toBeLessThanOrEqual(SNAPSHOT_ROWS)
    expect(rowsChanged).toBeGreaterThan(100)
  })
})
