import type { ByteWriter } from '../byte-writer.ts'
import { type ColumnEncoder, encodeText, type ValueText } from './column-encoder.ts'

const SECONDS_PER_DAY = 86_400
/** Debezium's numbers for `infinity` and `-infinity` as microseconds. */
const INFINITE_MICROS = '9223372036825200000'
const MINUS_INFINITE_MICROS = '-9223372036832400000'
const INFINITE_MILLIS = '9223372036825200'
const MINUS_INFINITE_MILLIS = '-9223372036832400'
const INFINITE_DAYS = '2147483647'
const MINUS_INFINITE_DAYS = '-2147483648'

/** Days since 1970-01-01; the infinities are the ends of 32 bits. */
export const encodeDate: ColumnEncoder = (out, text) => {
  if (isInfinite(text)) {
    out.ascii(isMinus(text) ? MINUS_INFINITE_DAYS : INFINITE_DAYS)
    return
  }
  const date = readDate(text)
  out.integer(daysFromCivil(date.year, date.month, date.day))
}

/** Since 1970-01-01 00:00, in milliseconds up to three fractional digits, else in microseconds (Debezium's adaptive precision). */
export function timestampEncoder(fractionDigits: number): ColumnEncoder {
  const millis = fractionDigits <= 3
  return (out, text) => {
    if (isInfinite(text)) {
      if (isMinus(text)) out.ascii(millis ? MINUS_INFINITE_MILLIS : MINUS_INFINITE_MICROS)
      else out.ascii(millis ? INFINITE_MILLIS : INFINITE_MICROS)
      return
    }
    const { source, end } = text
    const date = readDate(text)
    const days = daysFromCivil(date.year, date.month, date.day)
    const seconds = days * SECONDS_PER_DAY + readSeconds(source, date.next + 1)
    const micros = readMicros(source, date.next + 9, end)
    if (millis) writeDecimal(out, { seconds, fraction: Math.floor(micros / 1000), digits: 3 })
    else writeDecimal(out, { seconds, fraction: micros, digits: 6 })
  }
}

/** Since midnight, in milliseconds up to three fractional digits, else in microseconds. */
export function timeEncoder(fractionDigits: number): ColumnEncoder {
  return (out, { source, start, end }) => {
    const micros = readSeconds(source, start) * 1e6 + readMicros(source, start + 8, end)
    out.integer(fractionDigits <= 3 ? Math.floor(micros / 1000) : micros)
  }
}

/** ISO 8601 in UTC, `2024-02-29T12:00:00.123456Z`; years before 1 as `-0043-…`; the infinities as PostgreSQL writes them. */
export const encodeZonedTimestamp: ColumnEncoder = (out, text) => {
  if (isInfinite(text)) {
    encodeText(out, text)
    return
  }
  const { source, start, end } = text
  const date = readDate(text)
  out.byte(0x22)
  if (date.year <= 0) {
    out.ascii(`-${String(-date.year).padStart(4, '0')}`)
    out.copy(source, date.yearEnd, date.next)
  } else {
    if (date.yearEnd - start > 4) out.byte(0x2b)
    out.copy(source, start, date.next)
  }
  out.byte(0x54)
  const zone = endOfTime(source, date.next + 1, end)
  out.copy(source, date.next + 1, zone)
  out.byte(0x5a)
  out.byte(0x22)
}

/** ISO 8601 with the offset that the value has: `12:00:00.5+02` becomes `12:00:00.5+02:00`, zero is `Z`. */
export const encodeZonedTime: ColumnEncoder = (out, { source, start, end }) => {
  const zone = endOfTime(source, start, end)
  out.byte(0x22)
  out.copy(source, start, zone)
  const offset = source.toString('latin1', zone, end)
  if (/^[+-]00$/.test(offset)) out.byte(0x5a)
  else out.ascii(offset.length === 3 ? `${offset}:00` : offset)
  out.byte(0x22)
}

interface CivilDate {
  /** Astronomical: 1 BC is 0. */
  readonly year: number
  readonly month: number
  readonly day: number
  /** Where the year's digits end. */
  readonly yearEnd: number
  /** Behind the date. */
  readonly next: number
}

/** A time since 1970 in two numbers, since its microseconds may not fit in one: whole seconds, and `digits` digits behind the point. */
interface SplitTime {
  readonly seconds: number
  readonly fraction: number
  readonly digits: number
}

/** `infinity` and `-infinity`; a date ends with a digit or with ` BC`. */
function isInfinite({ source, end }: ValueText): boolean {
  return source[end - 1] === 0x79
}

function isMinus({ source, start }: ValueText): boolean {
  return source[start] === 0x2d
}

/** `YYYY-MM-DD`, with more digits of the year where needed, and ` BC` at the very end of the value. */
function readDate({ source, start, end }: ValueText): CivilDate {
  let at = start
  let year = 0
  for (; source[at] !== 0x2d; at++) year = year * 10 + source[at] - 0x30
  const yearEnd = at
  const month = twoDigits(source, at + 1)
  const day = twoDigits(source, at + 4)
  const beforeChrist = source[end - 1] === 0x43 && source[end - 2] === 0x42
  return { year: beforeChrist ? 1 - year : year, month, day, yearEnd, next: at + 6 }
}

function twoDigits(source: Buffer, at: number): number {
  return (source[at] - 0x30) * 10 + source[at + 1] - 0x30
}

function readSeconds(source: Buffer, at: number): number {
  return twoDigits(source, at) * 3600 + twoDigits(source, at + 3) * 60 + twoDigits(source, at + 6)
}

/** Microseconds of `.123`, of which trailing zeros are left out; `at` is behind the seconds. */
function readMicros(source: Buffer, at: number, end: number): number {
  if (at >= end || source[at] !== 0x2e) return 0
  let micros = 0
  let digits = 0
  for (let next = at + 1; next < end && isDigit(source[next]); next++, digits++) {
    micros = micros * 10 + source[next] - 0x30
  }
  return micros * 10 ** (6 - digits)
}

function endOfTime(source: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (isDigit(source[at]) || source[at] === 0x3a || source[at] === 0x2e)) at++
  return at
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** `seconds * 10^digits + fraction` in decimal, exact also above 2^53. */
function writeDecimal(out: ByteWriter, { seconds, fraction, digits }: SplitTime): void {
  const scale = 10 ** digits
  const value = seconds * scale + fraction
  if (Number.isSafeInteger(value)) {
    out.integer(value)
    return
  }
  let whole = seconds
  let rest = fraction
  if (seconds < 0) {
    out.byte(0x2d)
    whole = -seconds
    if (fraction > 0) {
      whole -= 1
      rest = scale - fraction
    }
  }
  out.integer(whole)
  out.ascii(String(rest).padStart(digits, '0'))
}
