import { UsageError } from '@millrace/log'

/** A name in double quotes, as SQL wants it when it is no plain lower-case word. */
export function quoteName(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new UsageError(`${JSON.stringify(name)} is no name for a table or column`)
  return `"${name.replaceAll('"', '""')}"`
}

/** A table's name, each part in quotes; a dot separates the schema. */
export function quoteTable(table: string): string {
  return table.split('.').map(quoteName).join('.')
}

/** Names in quotes, separated by commas. */
export function quoteNames(names: readonly string[]): string {
  return names.map(quoteName).join(', ')
}
