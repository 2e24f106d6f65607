const MICROS_PER_SECOND = 1_000_000n
const SECONDS_PER_DAY = 86_400n
const DAYS_PER_ERA = 146_097n
/** From 0000-03-01, where the eras of 400 years begin, to 1970-01-01. */
const DAYS_TO_EPOCH = 719_468n
/** Debezium's numbers for the infinities, in microseconds, milliseconds and days. */
const INFINITE_MICROS: ReadonlyMap<bigint, string> = new Map([
  [9_223_372_036_825_200_000n, 'infinity'],
  [-9_223_372_036_832_400_000n, '-infinity']
])
const INFINITE_MILLIS: ReadonlyMap<bigint, string> = new Map([
  [9_223_372_036_825_200n, 'infinity'],
  [-9_223_372_036_832_400n, '-infinity']
])
const INFINITE_DAYS: ReadonlyMap<number, string> = new Map([
  [2_147_483_647, 'infinity'],
  [-2_147_483_648, '-infinity']
])
const SIGNED_YEAR = /^([+-])(\d{4,})(-.*)$/

/** The date that is so many days after 1970-01-01, as PostgreSQL reads it. */
export function dateOfDays(days: number): string {
  const infinite = INFINITE_DAYS.get(days)
  if (infinite !== undefined) return infinite
  const { date, isBeforeChrist } = civilDate(BigInt(days))
  return isBeforeChrist ? `${date} BC` : date
}

/** The timestamp that is so far after 1970-01-01 00:00, in units of which a second has `perSecond`. */
export function timestampOfNumber(value: bigint, perSecond: bigint): string {
  const infinite = (perSecond === MICROS_PER_SECOND ? INFINITE_MICROS : INFINITE_MILLIS).get(value)
  if (infinite !== undefined) return infinite
  const perDay = SECONDS_PER_DAY * perSecond
  const rest = ((value % perDay) + perDay) % perDay
  const { date, isBeforeChrist } = civilDate((value - rest) / perDay)
  return `${date} ${timeOfNumber(rest, perSecond)}${isBeforeChrist ? ' BC' : ''}`
}

/** The time of day so far after midnight; 24:00 is one. */
export function timeOfNumber(value: bigint, perSecond: bigint): string {
  const micros = (value % perSecond) * (MICROS_PER_SECOND / perSecond)
  const seconds = value / perSecond
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${String(micros).padStart(6, '0')}`
}

/** An ISO 8601 timestamp as PostgreSQL reads it: it knows no signs, 1 BC is ISO's year 0. Anything else stays as it is. */
export function timestampOfIso(text: string): string {
  const [, sign, year = '', rest = ''] = SIGNED_YEAR.exec(text) ?? []
  if (sign === '+') return `${year}${rest}`
  if (sign === '-') return `${String(Number(year) + 1).padStart(4, '0')}${rest} BC`
  return text.startsWith('0000-') ? `0001${text.slice(4)} BC` : text
}

/** In the proleptic Gregorian calendar, beyond what `Date` reaches. */
function civilDate(days: bigint): { readonly date: string; readonly isBeforeChrist: boolean } {
  const shifted = days + DAYS_TO_EPOCH
  const dayOfEra = ((shifted % DAYS_PER_ERA) + DAYS_PER_ERA) % DAYS_PER_ERA
  const era = (shifted - dayOfEra) / DAYS_PER_ERA
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n)
  const fromMarch = (5n * dayOfYear + 2n) / 153n
  const day = dayOfYear - (153n * fromMarch + 2n) / 5n + 1n
  const month = fromMarch < 10n ? fromMarch + 3n : fromMarch - 9n
  const year = era * 400n + yearOfEra + (month <= 2n ? 1n : 0n)
  const isBeforeChrist = year <= 0n
  const shown = String(isBeforeChrist ? 1n - year : year).padStart(4, '0')
  return { date: `${shown}-${two(month)}-${two(day)}`, isBeforeChrist }
}

function two(value: bigint): string {
  return String(value).padStart(2, '0')
}
