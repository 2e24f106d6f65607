import { describe, expect, it } from 'vitest'
import type { FileSystem } from '../environment/environment.ts'
import { memoryEnvironment } from '../environment/memory-environment.ts'
import { CorruptionError } from '../errors.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { batchLastOffset, batchSizeBytes } from '../wire/batch/header.ts'
import type { LeaderPartition } from './leader-partition.ts'
import { batchOf, type PartitionFixture, partitionFixture, readAll } from './partition-fixture.ts'

const SEEDS = 600
const CONFIG = { 'segment.bytes': '3000', 'index.interval.bytes': '100' }

/** A partition of several segments with plain, idempotent, committed and aborted batches. */
async function writtenPartition(closing: 'closed' | 'killed' = 'closed'): Promise<PartitionFixture> {
  const fixture = partitionFixture({ environment: memoryEnvironment(), config: CONFIG, tailBytes: 0 })
  for (let life = 0; life < 2; life++) {
    const partition = await fixture.open()
    for (let round = 0; round < 12; round++) {
      const sequence = 2 * (life * 12 + round)
      const producer = (producerId: number) => ({
        producerId,
        producerEpoch: 0,
        baseSequence: sequence,
        transactional: true
      })
      partition.append(batchOf([`plain ${life} ${round}`, 'x'.repeat(round * 10)]), 'client')
      partition.append(batchOf([`commit ${life} ${round} a`, 'b'], producer(1)), 'client')
      partition.append(batchOf([`abort ${life} ${round} a`, 'b'], producer(2)), 'client')
      for (const producerId of [1, 2]) {
        const commit = producerId === 1
        partition.appendMarker({ producerId, producerEpoch: 0, coordinatorEpoch: 3, commit, timestampMs: 2_000 })
      }
    }
    if (life === 0 || closing === 'closed') await partition.close()
    else await partition.whenCommitted(partition.logEndOffset - 1)
  }
  return fixture
}

/** Bytes of all files below the partition's directory, to begin each case from. */
function copyOf(files: FileSystem, directory: string): Map<string, Buffer> {
  return new Map(files.list(directory).map(({ name }) => [name, Buffer.from(files.readFile(`${directory}/${name}`))]))
}

function restore(content: Map<string, Buffer>): PartitionFixture {
  const fixture = partitionFixture({ environment: memoryEnvironment(), config: CONFIG, tailBytes: 0 })
  const { files } = fixture.environment
  files.makeDirectory(fixture.directory)
  for (const [name, bytes] of content) write(files, `${fixture.directory}/${name}`, bytes)
  return fixture
}

function write(files: FileSystem, path: string, bytes: Buffer): void {
  const handle = files.open(path, 'write')
  handle.truncate(0)
  handle.write([bytes], 0)
  handle.close()
}

/** Everything that readers can see: records, and what read_committed is told to leave out. */
function visible(partition: LeaderPartition) {
  const records = readAll(partition, partition.logStartOffset, { maxBytes: 700 })
  const aborted = new Set<string>()
  for (let offset = partition.logStartOffset; offset < partition.logEndOffset; offset++) {
    const read = partition.read({ offset, maxBytes: 300, isolation: 'read_committed' })
    for (const { producerId, firstOffset } of read.abortedTransactions) aborted.add(`${producerId} from ${firstOffset}`)
  }
  return { records, aborted: [...aborted].sort() }
}

/** Reads; where a damaged batch is met, starts again, as its error says. Returns the errors. */
async function readWithRestarts(fixture: PartitionFixture) {
  const errors: CorruptionError[] = []
  for (;;) {
    const partition = await fixture.open()
    try {
      return { errors, partition, seen: visible(partition) }
    } catch (error) {
      if (!(error instanceof CorruptionError) || errors.length === 3) throw error
      errors.push(error)
      await partition.close()
    }
  }
}

/** Offsets of the batch that byte `position` of a log file belongs to. */
function offsetsAt(log: Buffer, position: number): { from: number; to: number } {
  for (let at = 0; ; at += batchSizeBytes(log, at)) {
    if (position < at + batchSizeBytes(log, at)) {
      return { from: Number(log.readBigInt64BE(at)), to: batchLastOffset(log, at) }
    }
  }
}

describe('a damaged byte', () => {
  it('anywhere in any file of a partition is found, named, and costs at most the batch it is in', async () => {
    const original = await writtenPartition()
    const content = copyOf(original.environment.files, original.directory)
    const whole = visible(await original.open())
    expect(whole.records.length).toBe(144)
    expect(whole.aborted).toHaveLength(24)
    const names = [...content.keys()].sort()
    expect(new Set(names.map((name) => name.replace(/^\d+/, '')))).toEqual(
      new Set([
        '.index',
        '.log',
        '.snapshot',
        '.summary',
        '.timeindex',
        '.txnindex',
        'leader-epoch-checkpoint',
        'partition.metadata'
      ])
    )
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new SeededRandom(seed)
      const name = names[random.below(names.length)]
      const bytes = Buffer.from(content.get(name) ?? '')
      if (bytes.length === 0) continue
      const position = random.below(bytes.length)
      bytes[position] ^= 1 << random.below(8)
      const where = `seed ${seed}: ${name} byte ${position}`
      const fixture = restore(new Map([...content, [name, bytes]]))
      const { errors, seen } = await readWithRestarts(fixture)
      const named = [...errors.map((error) => error.path), ...fixture.damage.map((report) => report.path)]
      if (name.endsWith('.log')) {
        const lost = offsetsAt(content.get(name) ?? bytes, position)
        expect(seen.records, where).toEqual(
          whole.records.filter(({ offset }) => offset < lost.from || offset > lost.to)
        )
        expect(named, where).toContain(`${fixture.directory}/${name}`)
      } else {
        expect(seen, where).toEqual(whole)
      }
      if (isUsed(name, names)) expect(named, where).toContain(`${fixture.directory}/${name}`)
    }
  })

  it('of the log is found after a crash too, and costs at most the batch it is in', async () => {
    const original = await writtenPartition('killed')
    const content = copyOf(original.environment.files, original.directory)
    const whole = visible(await restore(content).open())
    expect(whole.records.length).toBe(144)
    const names = [...content.keys()].filter((name) => name.endsWith('.log'))
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = new SeededRandom(`killed ${seed}`)
      const name = names[random.below(names.length)]
      const log = content.get(name) ?? Buffer.alloc(0)
      const bytes = Buffer.from(log)
      const position = random.below(bytes.length)
      const lost = offsetsAt(log, position)
      // Nothing vouches for the leader epoch of a batch that no summary covers yet.
      if (isLeaderEpoch(log, position)) continue
      bytes[position] ^= 1 << random.below(8)
      const where = `seed ${seed}: ${name} byte ${position}`
      const fixture = restore(new Map([...content, [name, bytes]]))
      const { errors, seen } = await readWithRestarts(fixture)
      expect(seen.records, where).toEqual(whole.records.filter(({ offset }) => offset < lost.from || offset > lost.to))
      const named = [...errors.map((error) => error.path), ...fixture.damage.map((report) => report.path)]
      expect(named, where).toContain(`${fixture.directory}/${name}`)
    }
  })

  it('in a file that was cut short is found too', async () => {
    const original = await writtenPartition()
    const content = copyOf(original.environment.files, original.directory)
    const whole = visible(await original.open())
    for (const [name, bytes] of content) {
      if (bytes.length === 0) continue
      const cut = bytes.subarray(0, Math.floor(bytes.length / 2))
      const fixture = restore(new Map([...content, [name, cut]]))
      const { partition, seen } = await readWithRestarts(fixture)
      const end = name.endsWith('.log') ? offsetsAt(bytes, cut.length).from : 0
      const next = Math.min(
        ...[...content.keys()].filter((other) => other.endsWith('.log') && other > name).map(Number.parseFloat)
      )
      const others = whole.records.filter(({ offset }) => !name.endsWith('.log') || offset < end || offset >= next)
      expect(seen.records, name).toEqual(others)
      expect(partition.logEndOffset, name).toBe(192)
      if (isUsed(name, [...content.keys()].sort())) {
        expect(
          fixture.damage.map((report) => report.path),
          name
        ).toContain(`${fixture.directory}/${name}`)
      }
    }
  })

  it('or a missing file costs nothing that the log can tell', async () => {
    const original = await writtenPartition()
    const content = copyOf(original.environment.files, original.directory)
    const whole = visible(await original.open())
    for (const name of content.keys()) {
      if (name.endsWith('.log')) continue
      const fixture = restore(new Map([...content].filter(([other]) => other !== name)))
      const { seen } = await readWithRestarts(fixture)
      expect(seen, name).toEqual(whole)
    }
  })
})

function isLeaderEpoch(log: Buffer, position: number): boolean {
  let start = 0
  while (start + batchSizeBytes(log, start) <= position) start += batchSizeBytes(log, start)
  return position - start >= 12 && position - start < 16
}

/** Only the newest snapshot is read when nothing is wrong; the readers here never ask for a time. */
function isUsed(name: string, names: readonly string[]): boolean {
  if (name.endsWith('.snapshot')) return name === names.filter((other) => other.endsWith('.snapshot')).at(-1)
  return !name.endsWith('.timeindex') && !name.endsWith('.log')
}
