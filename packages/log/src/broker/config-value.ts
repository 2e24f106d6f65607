/** Kafka's types of configuration values, by the number `DescribeConfigs` answers with (KIP-569). */
export const ConfigType = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const

/** One configuration: its name, type, default and rule. Values are text on the wire, as in Kafka. */
export interface ConfigDefinition {
  readonly name: string
  readonly type: keyof typeof ConfigType
  readonly default: string
  /** One sentence: what it does, with its unit. */
  readonly documentation: string
  /** The broker configuration that gives the default, if there is one. */
  readonly brokerName?: string
  readonly min?: number
  readonly max?: number
  /** Legal values of a string, or of each element of a list. */
  readonly oneOf?: readonly string[]
}

/** Kafka's `Long.MAX_VALUE`, which stands for "never" and "without limit". */
export const LONG_MAX = '9223372036854775807'

/**
 * What is wrong with `text` as a value of `definition`, as a clause to end a sentence; undefined when nothing is.
 */
export function configProblem(definition: ConfigDefinition, text: string): string | undefined {
  switch (definition.type) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? undefined : 'is neither true nor false'
    case 'int':
    case 'long':
      return integerProblem(definition, text)
    case 'double':
      return boundsProblem(definition, text.trim() === '' ? Number.NaN : Number(text))
    case 'string':
      return choiceProblem(definition, [text])
    case 'list':
      return choiceProblem(definition, listElements(text))
  }
}

/** The number that `text` stands for. `Long.MAX_VALUE` and its like become `Infinity`, which no duration or size reaches. */
export function configNumber(text: string): number {
  const value = Number(text)
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value
}

/** The elements of a comma-separated list. */
export function listElements(text: string): string[] {
  return text
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

function integerProblem(definition: ConfigDefinition, text: string): string | undefined {
  if (!/^-?\d{1,19}$/.test(text.trim())) return 'is not an integer'
  const value = BigInt(text)
  const bits = definition.type === 'int' ? 32 : 64
  if (BigInt.asIntN(bits, value) !== value) return `does not fit in ${bits} bits`
  return boundsProblem(definition, Number(value))
}

function boundsProblem(definition: ConfigDefinition, value: number): string | undefined {
  if (Number.isNaN(value)) return 'is not a number'
  if (definition.min !== undefined && value < definition.min) return `must be at least ${definition.min}`
  if (definition.max !== undefined && value > definition.max) return `must be at most ${definition.max}`
  return undefined
}

function choiceProblem(definition: ConfigDefinition, chosen: readonly string[]): string | undefined {
  const legal = definition.oneOf
  if (legal === undefined || chosen.every((element) => legal.includes(element))) return undefined
  return `must be of ${legal.join(', ')}`
}
