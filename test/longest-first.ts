import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BaseSequencer, type TestSequencer, type TestSpecification, type Vitest } from 'vitest/node'

/** The files that take longest, so that none of them begins when all others have ended: those that wait beside those that work. */
const LONGEST = [
  'test/kill.test.ts',
  'test/connectors.test.ts',
  'packages/connectors/src/http/sink/http-sink-contract.test.ts',
  'packages/connectors/src/testing/contracts.test.ts',
  'packages/connectors/src/sqlite/sqlite-contract.test.ts',
  'test/random-topologies.test.ts',
  'test/click-aggregator.test.ts',
  'test/power-cut.test.ts',
  'test/damage.test.ts',
  'test/golden-variants.test.ts',
  'test/kafka-formats.test.ts',
  'test/packages.test.ts',
  'packages/connectors/src/postgres/cdc/through-the-log.test.ts',
  'packages/connectors/src/postgres/cdc/versions.test.ts',
  'packages/log/src/partition/compaction.test.ts',
  'packages/streams/src/state/task-stores.test.ts',
  'packages/cli/src/connectors.test.ts'
]

/** Vitest's own order is by what files took before; a clean checkout knows nothing of it. */
export class LongestFirst implements TestSequencer {
  readonly #base: BaseSequencer

  constructor(vitest: Vitest) {
    this.#base = new BaseSequencer(vitest)
    for (const path of LONGEST)
      assert.ok(existsSync(fileURLToPath(new URL(`../${path}`, import.meta.url))), `there is no ${path}`)
  }

  shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    return this.#base.shard(files)
  }

  async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await this.#base.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((path) => moduleId.endsWith(`/${path}`))
  return place < 0 ? LONGEST.length : place
}
