import { AvroCodec, avroIncompatibilities, canonicalAvro, parseAvro } from '@millrace/connectors/schemas'
import { afterAll, describe, expect, it } from 'vitest'
import {
  dice,
  mutatedSchema,
  type RandomComplex,
  type RandomSchema,
  randomSchema,
  randomValue
} from './avro/random-avro.ts'
import { openAvroPeer } from './peers/avro-peer.ts'

const peer = await openAvroPeer()
const reason = 'missing' in peer ? ` (skipped: ${peer.missing})` : ''
const ask = 'missing' in peer ? async () => [] : peer.ask
const TEST_LIMIT_MS = 120_000
const CASES = 1000

afterAll(() => {
  if (!('missing' in peer)) peer.close()
})

interface Case {
  readonly json: RandomSchema
  readonly schema: string
  readonly named: ReadonlyMap<string, RandomComplex>
}

function randomCase(seed: number): Case {
  const named = new Map<string, RandomComplex>()
  const json = randomSchema(dice(seed), named)
  return { json, schema: JSON.stringify(json), named }
}

describe.skipIf(reason !== '')(`Java's Avro${reason}`, () => {
  it('writes schemas as we do', { timeout: TEST_LIMIT_MS }, async () => {
    const cases = Array.from({ length: CASES }, (_, seed) => randomCase(seed))
    const answers = await ask(cases.map(({ schema }) => ({ question: 'canonical', schema })))
    expect(answers.length).toBe(CASES)
    for (const [index, { schema }] of cases.entries()) {
      expect(answers[index], schema).toEqual({ schema: canonicalAvro(parseAvro(schema).type) })
    }
  })

  it('judges compatibility as we do, with the same paths', { timeout: TEST_LIMIT_MS }, async () => {
    const pairs = Array.from({ length: CASES }, (_, seed) => {
      const { json, schema } = randomCase(seed)
      return { writer: schema, reader: JSON.stringify(mutatedSchema(json, dice(seed + CASES))) }
    })
    const answers = await ask(pairs.map((pair) => ({ question: 'compatibility', ...pair })))
    const compatible = answers.filter((answer) => answer.incompatibilities?.length === 0).length
    expect(compatible).toBeGreaterThan(CASES / 4)
    expect(compatible).toBeLessThan(CASES * 0.85)
    for (const [index, { reader, writer }] of pairs.entries()) {
      const ours = avroIncompatibilities(parseAvro(reader).type, parseAvro(writer).type)
      // Of a named type that is used twice, Java gives the second time the path of the first.
      const isRepeated = /"(R\d|A|B|C)".*"\1"/.test(reader)
      const found = ours.map(({ type, path }) => ({ type, path: isRepeated ? expect.any(String) : path }))
      expect(answers[index], `${reader} reads ${writer}`).toEqual({ incompatibilities: found })
    }
  })

  it('writes values to the same bytes, and reads them as another schema with the same result', {
    timeout: TEST_LIMIT_MS
  }, async () => {
    const cases = Array.from({ length: CASES }, (_, seed) => {
      const { json, schema, named } = randomCase(seed)
      const codec = codecOf(schema)
      const text = JSON.stringify(randomValue(json, dice(seed), named))
      const hex = codec.encode(Buffer.alloc(0), codec.fromJson(text)).toString('hex')
      return { schema, text, hex, codec, reader: JSON.stringify(mutatedSchema(json, dice(seed + CASES))) }
    })
    const written = await ask(cases.map(({ schema, text }) => ({ question: 'encode', schema, json: text })))
    for (const [index, { schema, text, hex }] of cases.entries()) {
      expect(written[index], `${schema} of ${text}`).toEqual({ hex })
    }
    const readable = cases.filter(({ codec, reader }) => isReadable(codec, codecOf(reader)))
    const questions = readable.map(({ schema, reader, hex }) => ({
      question: 'resolve' as const,
      reader,
      writer: schema,
      hex
    }))
    const read = await ask(questions)
    expect(readable.length).toBeGreaterThan(CASES / 4)
    for (const [index, { codec, reader, schema, text, hex }] of readable.entries()) {
      const ours = codecOf(reader)
      const bytes = Buffer.from(hex, 'hex')
      const value = ours.decoderFor(codec)(bytes, 0, bytes.length)
      // Of a value without content Java writes nothing.
      const theirs = read[index].json ?? JSON.stringify(read[index])
      if (theirs === '') continue
      expect(JSON.parse(ours.toJson(value), withoutBranch), `${reader} reads ${text} of ${schema}`).toEqual(
        JSON.parse(theirs, withoutBranch)
      )
    }
  })
})

function codecOf(schema: string): AvroCodec {
  return new AvroCodec({ text: { schemaType: 'AVRO', schema, references: [] }, resolved: [] })
}

function isReadable(writer: AvroCodec, reader: AvroCodec): boolean {
  return reader.schema.incompatibilitiesWith(writer.schema).length === 0
}

/**
 * A reviver that drops the name of a primitive branch: of a reader's union with several numbers (or text and bytes), avsc takes the first that
 * can hold the writer's value, Java the one of the writer's type if it is there. The value is the same.
 */
function withoutBranch(_key: string, value: unknown): unknown {
  // A reader's float is rounded by Java, and left as the writer wrote it by avsc.
  if (typeof value === 'number') return Math.fround(value)
  if (typeof value !== 'object' || value === null) return value
  const [[name, inner] = [], ...others] = Object.entries(value)
  const isBranch = ['int', 'long', 'float', 'double', 'bytes', 'string'].some((primitive) => primitive === name)
  return isBranch && others.length === 0 ? inner : value
}
