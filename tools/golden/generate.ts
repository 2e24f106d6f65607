import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomInput } from './random-input.ts'
import { randomSource } from './random-source.ts'
import { randomTopology } from './random-topology.ts'

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
  lines.push(JSON.stringify({ name: `generated-${seed}`, topology, input: randomInput(topology, random) }))
}
writeFileSync(join(directory, `generated-${from}.json`), `[\n${lines.join(',\n')}\n]\n`)
