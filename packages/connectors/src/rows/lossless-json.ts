declare global {
  /** ECMAScript's access to the source text of JSON, which the library types do not have yet. */
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown
    ): unknown
    rawJSON(text: string): object
  }
}

const MANY_DIGITS = /\d{16}/
const INTEGER = /^-?\d+$/

/**
 * `JSON.parse`, but integers that a double cannot hold come as bigint instead of rounded.
 * @throws SyntaxError as `JSON.parse` does.
 */
export function parseLosslessly(text: string): unknown {
  // The reviver costs several times the parsing: only text with a number that long needs it.
  return MANY_DIGITS.test(text) ? JSON.parse(text, keepIntegers) : JSON.parse(text)
}

/** `JSON.stringify` that writes bigint as the number it is. */
export function stringifyLosslessly(value: unknown): string {
  try {
    // A replacer costs several times the writing: only what has a bigint in it needs one.
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof TypeError) return JSON.stringify(value, writeBigint)
    throw error
  }
}

function keepIntegers(_key: string, value: unknown, context: { readonly source: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(context.source)
    ? BigInt(context.source)
    : value
}

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value
}
