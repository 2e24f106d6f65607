import { UsageError } from '@millrace/log'

/** Says which tables are meant: names as `orders` (schema `public`) or `sales.orders`, with `*` for any characters, or expressions for the full name. */
export class TableFilter {
  readonly #patterns: readonly { readonly expression: RegExp; readonly text: string }[]

  /** @throws UsageError when there is no pattern. */
  constructor(tables: readonly (string | RegExp)[]) {
    if (tables.length === 0) {
      throw new UsageError(`a PostgreSQL source needs tables, e.g. tables: ['public.orders'] or ['public.*']`)
    }
    this.#patterns = tables.map((table) => ({
      expression: typeof table === 'string' ? patternOf(table) : table,
      text: String(table)
    }))
  }

  /** Whether the table is meant, by its name with schema. */
  matches(qualifiedName: string): boolean {
    return this.#patterns.some(({ expression }) => isMeant(expression, qualifiedName))
  }

  /** What was asked for and is none of these tables, as it was asked for. */
  unmatched(qualifiedNames: readonly string[]): string[] {
    const idle = this.#patterns.filter(({ expression }) => !qualifiedNames.some((name) => isMeant(expression, name)))
    return idle.map(({ text }) => text)
  }
}

/** By `search`, which knows no place from the last time as `test` of a global expression does. */
function isMeant(expression: RegExp, name: string): boolean {
  return name.search(expression) !== -1
}

function patternOf(name: string): RegExp {
  const qualified = name.includes('.') ? name : `public.${name}`
  const escaped = qualified.replace(/[\\^$+?()[\]{}|.]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${escaped}$`)
}
