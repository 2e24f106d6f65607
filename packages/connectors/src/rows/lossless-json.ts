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

/** A number of fewer digits is held exactly. */
const MANY_DIGITS = 16
const INTEGER = /^-?\d+$/

/**
 * `JSON.parse`, but integers that a double cannot hold come as bigint instead of rounded.
 * @throws SyntaxError as `JSON.parse` does.
 */
export function parseLosslessly(text: string): unknown {
  // The reviver costs several times the parsing: only text with a number that long needs it.
  return hasManyDigits(text) ? JSON.parse(text, keepIntegers) : JSON.parse(text)
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

/** Whether so many digits stand side by side somewhere. One of them is then at every so many characters: nearly all others need no look. */
function hasManyDigits(text: string): boolean {
  for (let at = MANY_DIGITS - 1; at < text.length; at += MANY_DIGITS) {
    if (isDigit(text.charCodeAt(at)) && digitsAround(text, at) >= MANY_DIGITS) return true
  }
  return false
}

function digitsAround(text: string, at: number): number {
  let begin = at
  let end = at + 1
  while (begin > 0 && isDigit(text.charCodeAt(begin - 1))) begin--
  while (end < text.length && isDigit(text.charCodeAt(end))) end++
  return end - begin
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function keepIntegers(_key: string, value: unknown, context: { readonly source: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && INTEGER.test(context.source)
    ? BigInt(context.source)
    : value
}

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value
}
