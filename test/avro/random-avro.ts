/** Numbers from 0 (inclusive) to `below` (exclusive), the same for the same seed. */
export type Dice = (below: number) => number

/** A linear congruential generator. */
export function dice(seed: number): Dice {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A schema as JSON, of what {@link randomSchema} makes. */
export type RandomSchema = string | readonly RandomSchema[] | RandomComplex

/** Arrays, maps and named types. */
export interface RandomComplex {
  readonly type: 'array' | 'map' | 'record' | 'enum' | 'fixed'
  readonly [attribute: string]: unknown
  readonly items?: RandomSchema
  readonly values?: RandomSchema
  readonly name?: string
  readonly fields?: readonly RandomField[]
  readonly symbols?: readonly string[]
  readonly size?: number
}

/** A field of a record. */
export interface RandomField {
  readonly name: string
  readonly type: RandomSchema
  readonly default?: unknown
  readonly [attribute: string]: unknown
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']

/**
 * A schema out of few names, so that two of them are often related; a name that comes again is a reference.
 * @param named what has a name, by name; filled
 */
export function randomSchema(roll: Dice, named: Map<string, RandomComplex>, depth = 3): RandomSchema {
  const kind = depth === 0 ? 0 : roll(10)
  if (kind < 3) return primitives[roll(primitives.length)]
  if (kind === 3) return { type: 'array', items: randomSchema(roll, named, depth - 1), ...attributes(roll) }
  if (kind === 4) return { type: 'map', values: randomSchema(roll, named, depth - 1) }
  if (kind === 5) return randomUnion(roll, named, depth)
  const name = kind < 8 ? ['A', 'B', 'C'][roll(3)] : `R${depth}`
  if (named.has(name)) return name
  if (kind === 6) {
    const symbols = ['X', 'Y', 'Z'].slice(0, 1 + roll(3))
    return define(named, { type: 'enum', name, symbols, ...attributes(roll) })
  }
  if (kind === 7) return define(named, { type: 'fixed', name, size: 1 + roll(3), ...attributes(roll) })
  const fields = ['a', 'b', 'c', 'd'].filter(() => roll(2) === 0)
  const typed = fields.map((field) => randomField(roll, field, randomSchema(roll, named, depth - 1)))
  return define(named, { type: 'record', name, fields: typed, ...attributes(roll) })
}

function randomField(roll: Dice, name: string, type: RandomSchema): RandomField {
  const value = roll(2) === 0 ? randomDefault(type) : undefined
  const aliases = roll(6) === 0 ? { aliases: ['e'] } : {}
  return { name, type, ...(value === undefined ? {} : { default: value }), ...aliases }
}

/** A schema that is much like another: here and there a type is wider, a field or a branch more or less, a name or a size another. */
export function mutatedSchema(schema: RandomSchema, roll: Dice): RandomSchema {
  const changes = roll(3) === 0
  if (typeof schema === 'string') {
    if (!changes || !primitives.includes(schema)) return schema
    return roll(3) === 0 && schema !== 'null' ? ['null', schema] : primitives[roll(primitives.length)]
  }
  if (isUnion(schema)) {
    const branches = schema.map((branch) =>
      primitives.includes(branchName(branch)) ? branch : mutatedSchema(branch, roll)
    )
    const flat = branches.filter((branch) => !isUnion(branch))
    const added = primitives[roll(primitives.length)]
    return changes && !flat.some((branch) => branchName(branch) === added) ? [...flat, added] : flat
  }
  const { items, values, fields, symbols, size, name } = schema
  if (items !== undefined) return { ...schema, items: mutatedSchema(items, roll) }
  if (values !== undefined) return { ...schema, values: mutatedSchema(values, roll) }
  const named = changes && roll(4) === 0 ? { aliases: [name, 'Q'] } : {}
  if (symbols !== undefined) return { ...schema, ...named, ...(changes && { symbols: [...symbols, 'W'] }) }
  if (size !== undefined) return { ...schema, ...named, ...(changes && { size: size + 1 }) }
  return { ...schema, ...named, fields: mutatedFields(fields ?? [], roll) }
}

function mutatedFields(fields: readonly RandomField[], roll: Dice): RandomField[] {
  const kept = fields.filter(({ type }) => roll(8) > 0 || !primitives.some((primitive) => primitive === type))
  const changed = kept.map((field) => {
    const type = mutatedSchema(field.type, roll)
    if (roll(10) === 0) return { ...field, name: `${field.name}${field.name}`, aliases: [field.name] }
    const { default: _, ...rest } = field
    return JSON.stringify(type) === JSON.stringify(field.type) ? field : { ...rest, type }
  })
  if (roll(8) > 0) return changed
  const added = {
    name: 'f',
    type: 'int',
    ...(roll(2) === 0 && { default: 1 })
  }
  return [...changed, added]
}

function define(named: Map<string, RandomComplex>, type: RandomComplex): RandomComplex {
  if (type.name !== undefined) named.set(type.name, type)
  return type
}

function randomUnion(roll: Dice, named: Map<string, RandomComplex>, depth: number): RandomSchema {
  const branches: RandomSchema[] = []
  const seen = new Set<string>()
  for (let left = 1 + roll(4); left > 0; left--) {
    const known = new Map(named)
    const branch = randomSchema(roll, known, depth - 1)
    if (Array.isArray(branch)) continue
    const name = branchName(branch)
    if (seen.has(name)) continue
    seen.add(name)
    for (const [key, value] of known) named.set(key, value)
    branches.push(branch)
  }
  return branches.length === 0 ? ['null'] : branches
}

/** How a union's branch is called in Avro's JSON encoding. */
function branchName(branch: RandomSchema): string {
  if (typeof branch === 'string') return branch
  if (isUnion(branch)) return 'union'
  return branch.name ?? branch.type
}

function isUnion(schema: RandomSchema): schema is readonly RandomSchema[] {
  return Array.isArray(schema)
}

function attributes(roll: Dice): object {
  return {
    ...(roll(8) === 0 && { doc: 'said' }),
    ...(roll(8) === 0 && { zeta: { b: 1, a: [2] }, alpha: 'x' })
  }
}

function randomDefault(type: RandomSchema): unknown {
  if (isUnion(type)) return randomDefault(type[0])
  if (typeof type !== 'string') {
    if (type.type === 'array') return []
    if (type.type === 'map') return {}
    return type.type === 'enum' ? type.symbols?.[0] : undefined
  }
  const values: Readonly<Record<string, unknown>> = {
    null: null,
    boolean: true,
    int: 7,
    long: 8,
    string: 'd',
    double: 1.5
  }
  return values[type]
}

/** A value of a schema in Avro's JSON encoding, in which a branch of a union that is not null is wrapped in its name. */
export function randomValue(schema: RandomSchema, roll: Dice, named: ReadonlyMap<string, RandomComplex>): unknown {
  if (isUnion(schema)) {
    const branch = schema[roll(schema.length)]
    return branch === 'null' ? null : { [branchName(branch)]: randomValue(branch, roll, named) }
  }
  if (typeof schema === 'string') {
    const reference = named.get(schema)
    return reference === undefined ? randomPrimitive(schema, roll) : randomValue(reference, roll, named)
  }
  const inner = (type: RandomSchema | undefined) => randomValue(type ?? 'null', roll, named)
  switch (schema.type) {
    case 'array':
      return Array.from({ length: roll(4) }, () => inner(schema.items))
    case 'map':
      // One at the most: Java writes the entries in the order of their hashes.
      return roll(2) === 0 ? {} : { [randomText(roll)]: inner(schema.values) }
    case 'record':
      return Object.fromEntries((schema.fields ?? []).map(({ name, type }) => [name, inner(type)]))
    case 'enum':
      return schema.symbols?.[roll(schema.symbols.length)]
    case 'fixed':
      return String.fromCharCode(...Array.from({ length: schema.size ?? 0 }, () => roll(256)))
  }
}

function randomPrimitive(type: string, roll: Dice): unknown {
  switch (type) {
    case 'null':
      return null
    case 'boolean':
      return roll(2) === 1
    case 'int':
      return roll(2 ** 32) - 2 ** 31
    case 'long':
      return (roll(2 ** 22) - 2 ** 21) * 2 ** roll(32)
    case 'float':
      return Math.fround((roll(2 ** 24) - 2 ** 23) / 2 ** roll(20))
    case 'double':
      return (roll(2 ** 30) - 2 ** 29) / 2 ** roll(40)
    case 'bytes':
      return String.fromCharCode(...Array.from({ length: roll(5) }, () => roll(256)))
    default:
      return randomText(roll)
  }
}

function randomText(roll: Dice): string {
  return ['', 'a', 'schön', '水車', '🌊', 'line\nbreak "quoted"'][roll(6)]
}
