import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GoldenNode } from './case.ts'
import { randomInput } from './random-input.ts'
import { randomSource } from './random-source.ts'
import { randomTopology } from './random-topology.ts'
import { scaledInput, scaledTopology } from './scaled.ts'

const [directory, range = ''] = process.argv.slice(2)
const [from = Number.NaN, to = from] = range.split('..').map(Number)
if (directory === undefined || Number.isNaN(from)) {
  console.error(
    'usage: npm run golden:generate -- DIR A..B   (writes a case for each seed, without answers, into DIR/generated-A.json)'
  )
  process.exit(2)
}

const lines: string[] = []
for (let seed = from; seed <= to; seed++) {
  const random = randomSource(seed)
  const topology = randomTopology(random)
  const input = randomInput(topology, random)
  // Long spans are where stores are cut into segments; late times are those of real records.
  const factor = losesFinalSessions(topology) ? 1 : random.pick([1, 1, 1, 1_000, 60_000, 3_600_000])
  const laterMs = random.oneIn(3) ? 1_700_000_000_000 : 0
  lines.push(
    JSON.stringify({
      name: `generated-${seed}`,
      topology: scaledTopology(topology, factor),
      input: scaledInput(input, factor, laterMs)
    })
  )
}
writeFileSync(join(directory, `generated-${from}.json`), `[\n${lines.join(',\n')}\n]\n`)

/** Kafka Streams loses final results of sessions whose segment of the store it drops before it emits them (decision 0011): a minute or more. */
function losesFinalSessions(topology: readonly GoldenNode[]): boolean {
  return topology.some(({ emit, window }) => emit === 'final' && window?.type === 'session')
}
