import type { Incompatibility } from '../compatibility/incompatibility.ts'
import {
  type AvroEnum,
  type AvroField,
  type AvroFixed,
  type AvroNamed,
  type AvroRecord,
  type AvroType,
  branchName,
  type PrimitiveName,
  simpleNameOf
} from './avro-type.ts'

/** What a reader of a type can make of others, beside its own. */
const PROMOTED_FROM: Readonly<Partial<Record<PrimitiveName, readonly string[]>>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes']
}

/**
 * Whether all data written with `writer` can be read with `reader`, by Avro's rules of schema resolution as Java's `SchemaCompatibility` judges
 * them: names without their namespaces, reader's aliases, promotions, defaults, every branch of a writer's union. Paths are those of Java, `/` at
 * the root. Empty: it can.
 */
export function avroIncompatibilities(reader: AvroType, writer: AvroType): Incompatibility[] {
  const found = new Comparison().compare(reader, writer)
  return found.map((one) => (one.path === '' ? { ...one, path: '/' } : one))
}

/** Paths in it are from the pair that is compared. */
class Comparison {
  /** Pairs that are being compared, or were: a recursive pair is compatible if nothing else speaks against it. */
  readonly #results = new Map<AvroType, Map<AvroType, Incompatibility[]>>()

  compare(reader: AvroType, writer: AvroType): Incompatibility[] {
    const ofReader = this.#results.get(reader) ?? new Map<AvroType, Incompatibility[]>()
    this.#results.set(reader, ofReader)
    const known = ofReader.get(writer)
    if (known !== undefined) return known
    ofReader.set(writer, [])
    const found = this.#compare(reader, writer)
    ofReader.set(writer, found)
    return found
  }

  #compare(reader: AvroType, writer: AvroType): Incompatibility[] {
    if (writer.kind === 'union') return this.#fromUnion(reader, writer.branches)
    if (reader.kind === 'union') return this.#intoUnion(reader.branches, writer)
    if (reader.kind === 'array' && writer.kind === 'array') {
      return under('/items', this.compare(reader.items, writer.items))
    }
    if (reader.kind === 'map' && writer.kind === 'map') {
      return under('/values', this.compare(reader.values, writer.values))
    }
    if (reader.kind === 'fixed' && writer.kind === 'fixed')
      return [...nameMismatch(reader, writer), ...sizeMismatch(reader, writer)]
    if (reader.kind === 'enum' && writer.kind === 'enum')
      return [...nameMismatch(reader, writer), ...missingSymbols(reader, writer)]
    if (reader.kind === 'record' && writer.kind === 'record')
      return [...nameMismatch(reader, writer), ...this.#fields(reader, writer)]
    return canRead(reader, writer) ? [] : [typeMismatch(reader, writer)]
  }

  /** Every branch that the writer may have taken must be readable. */
  #fromUnion(reader: AvroType, branches: readonly AvroType[]): Incompatibility[] {
    return branches.flatMap((branch, index) => {
      const found = this.compare(reader, branch)
      return under(`/${index}`, reader.kind === 'union' && found.length > 0 ? [missingBranch(branch)] : found)
    })
  }

  #intoUnion(branches: readonly AvroType[], writer: AvroType): Incompatibility[] {
    return branches.some((branch) => this.compare(branch, writer).length === 0) ? [] : [missingBranch(writer)]
  }

  #fields(reader: AvroRecord, writer: AvroRecord): Incompatibility[] {
    return reader.fields.flatMap((field, index) => {
      const written = writtenField(field, writer)
      const path = `/fields/${index}`
      if (written !== undefined) return under(`${path}/type`, this.compare(field.type, written.type))
      if (field.default !== undefined) return []
      const message = `the reader's field '${field.name}' has no default, and the writer has no such field`
      return [{ type: 'READER_FIELD_MISSING_DEFAULT_VALUE', path, message }]
    })
  }
}

function under(path: string, found: readonly Incompatibility[]): Incompatibility[] {
  return found.map((one) => ({ ...one, path: path + one.path }))
}

function writtenField(field: AvroField, writer: AvroRecord): AvroField | undefined {
  const byName = writer.fields.find((one) => one.name === field.name)
  return byName ?? writer.fields.find((one) => field.aliases.includes(one.name))
}

function canRead(reader: AvroType, writer: AvroType): boolean {
  if (reader.kind === writer.kind) return true
  const promoted: Readonly<Record<string, readonly string[]>> = PROMOTED_FROM
  return promoted[reader.kind]?.includes(writer.kind) ?? false
}

function nameMismatch(reader: AvroNamed, writer: AvroNamed): Incompatibility[] {
  const isSame = simpleNameOf(reader.name) === simpleNameOf(writer.name) || reader.aliases.includes(writer.name)
  if (isSame) return []
  const message = `the reader's ${reader.kind} is ${reader.name}, the writer's ${writer.name}; an alias would do`
  return [{ type: 'NAME_MISMATCH', path: '/name', message }]
}

function sizeMismatch(reader: AvroFixed, writer: AvroFixed): Incompatibility[] {
  if (reader.sizeBytes === writer.sizeBytes) return []
  const message = `the reader expects ${reader.sizeBytes} bytes, the writer wrote ${writer.sizeBytes}`
  return [{ type: 'FIXED_SIZE_MISMATCH', path: '/size', message }]
}

function missingSymbols(reader: AvroEnum, writer: AvroEnum): Incompatibility[] {
  const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
  if (missing.length === 0 || reader.default !== undefined) return []
  const message = `the reader's enum lacks ${missing.join(', ')}, and has no default`
  return [{ type: 'MISSING_ENUM_SYMBOLS', path: '/symbols', message }]
}

function missingBranch(branch: AvroType): Incompatibility {
  return { type: 'MISSING_UNION_BRANCH', path: '', message: `reader union lacks writer branch ${branchName(branch)}` }
}

function typeMismatch(reader: AvroType, writer: AvroType): Incompatibility {
  const message = `the reader's ${reader.kind} cannot be read from the writer's ${writer.kind}`
  return { type: 'TYPE_MISMATCH', path: '', message }
}
