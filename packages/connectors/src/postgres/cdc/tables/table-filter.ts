import { UsageError } from '@millrace/log'

/** Says which tables are meant: names as `orders` (schema `public`) or `sales.orders`, with `*` for any characters, or expressions for the full name. */
export class TableFilter {
  readonly #patterns: readonly RegExp[]

  /** @throws UsageError when there is no pattern. */
  constructor(tables: readonly (string | RegExp)[]) {
    if (tables.length === 0) {
      throw new UsageError(`a PostgreSQL source needs tables, e.g. tables: ['public.orders'] or ['public.*']`)
    }
    this.#patterns = tables.map((table) => (typeof table === 'string' ? patternOf(table) : table))
  }

  /** Whether the table is meant, by its name with schema. */
  matches(qualifiedName: string): boolean {
    return this.#patterns.some((pattern) => pattern.test(qualifiedName))
  }
}

function patternOf(name: string): RegExp {
  const qualified = name.includes('.') ? name : `public.${name}`
  const escaped = qualified.replace(/[\\^$+?()[\]{}|.]/g, '\\$&').replaceAll('*', '.*')
  return new RegExp(`^${escaped}$`)
}
