/**
 * Lines of web server access logs, Common and Combined Log Format, as servers since 1995 have written them:
 *
 *     host ident user [17/May/2015:10:05:03 +0000] "GET /page?x=1 HTTP/1.1" 200 2326 …
 *
 * Lines are bytes, not text, so they are read as latin1: one character per byte, nothing lost.
 */
export type ParsedLine =
  | { readonly kind: 'click'; readonly page: string; readonly timestampMs: number; readonly status: number }
  /** Well formed, but no answered GET. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'bad'; readonly reason: string }

const TIME = /\[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\] "/g
// Only the space separates: the byte 0xA0 is part of a name, though \s takes it for white space.
const CLIENT = /^[^ ]+ [^ ]+ .* $/s
const AFTER_REQUEST = /" (\d{3})/g
const SIZE = /^ (?:\d+|-)(?: |$)/
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Parses one line, given as latin1 and without its line end. */
export function parseAccessLine(line: string): ParsedLine {
  if (line === '') return bad('empty line')
  TIME.lastIndex = 0
  const time = TIME.exec(line)
  if (!time) return bad('no [time] followed by a quoted request')
  if (!CLIENT.test(line.slice(0, time.index))) return bad('no host, ident and user before the time')
  const timestampMs = toTimestampMs(time)
  if (timestampMs === undefined) return bad(`not a time: ${time[0].slice(0, -2)}`)
  const requestStart = TIME.lastIndex
  AFTER_REQUEST.lastIndex = requestStart
  const end = AFTER_REQUEST.exec(line)
  if (!end) return bad('the request is not closed by a quote and a status')
  if (!SIZE.test(line.slice(AFTER_REQUEST.lastIndex))) return bad('no size after the status')
  const status = Number(end[1])
  const request = line.slice(requestStart, end.index)
  const target = targetOfGet(request)
  if (target === undefined || status < 200 || status > 399) return { kind: 'ignored' }
  return { kind: 'click', page: target, timestampMs, status }
}

/** The target's part before `?` or `#`, or undefined when the method is not GET. */
function targetOfGet(request: string): string | undefined {
  const tokens = trimSpaces(request)
  if (!tokens.startsWith('GET') || (tokens.length > 3 && tokens[3] !== ' ')) return undefined
  const rest = trimSpaces(tokens.slice(3))
  const lastSpace = rest.lastIndexOf(' ')
  const target = rest.startsWith('HTTP/', lastSpace + 1) ? trimSpaces(rest.slice(0, lastSpace + 1)) : rest
  const end = target.search(/[?#]/)
  return end === -1 ? target : target.slice(0, end)
}

function trimSpaces(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text[start] === ' ') start++
  while (end > start && text[end - 1] === ' ') end--
  return text.slice(start, end)
}

function toTimestampMs(time: RegExpExecArray): number | undefined {
  const month = MONTHS.indexOf(time[2])
  const [day, year, hour, minute, second] = [time[1], time[3], time[4], time[5], time[6]].map(Number)
  const [zoneHours, zoneMinutes] = [Number(time[8]), Number(time[9])]
  if (month === -1 || hour > 23 || minute > 59 || second > 60 || zoneHours > 23 || zoneMinutes > 59) return undefined
  const daysInMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  if (day < 1 || day > daysInMonth || year < 1970) return undefined
  const zoneMs = (time[7] === '-' ? -1 : 1) * (zoneHours * 60 + zoneMinutes) * 60_000
  const timestampMs = Date.UTC(year, month, day, hour, minute, second) - zoneMs
  return timestampMs < 0 ? undefined : timestampMs
}

function bad(reason: string): ParsedLine {
  return { kind: 'bad', reason }
}
