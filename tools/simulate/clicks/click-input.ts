import type { SeededRandom } from '@millrace/log/testing'
import type { Duration } from '@millrace/streams'

/** What one seed counts, and how. */
export interface ClickInput {
  /** An access log, as bytes. */
  readonly file: Buffer
  /** Partitions of the topics. */
  readonly partitions: number
  readonly window: Duration
  readonly windowMs: number
  readonly grace: Duration
  readonly graceMs: number
}

const BEGIN_MS = Date.UTC(2015, 4, 17, 10, 5, 0)
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const PAGES = ['/', '/index.html', '/a,b', '/"quoted"', '/caf\xe9', '/\xa0x', '/images/logo.png', '/search', '/long']
const BAD_LINES = ['', 'not a log line', '127.0.0.1 - - [99/Foo/2015:00:00:00 +0000] "GET / HTTP/1.0" 200 1']

/** A few hundred lines; for every second seed out of order by more than the grace, so that some clicks are late. */
export function clickInput(random: SeededRandom): ClickInput {
  const disordered = random.chance(0.5)
  const windowSeconds = random.pick([5, 10, 60])
  const graceSeconds = disordered ? random.pick([0, 1, 5]) : 10
  const disorderMs = disordered ? random.pick([5_000, 20_000, 90_000]) : 0
  const lines: string[] = []
  const count = 100 + random.below(200)
  let timeMs = BEGIN_MS
  for (let i = 0; i < count; i++) {
    timeMs += random.below(3) * 1000
    const late = disordered && random.chance(0.3) ? random.below(disorderMs) : 0
    lines.push(random.chance(0.02) ? random.pick(BAD_LINES) : line(timeMs - late, random))
  }
  const windowMs = windowSeconds * 1000
  return {
    file: Buffer.from(`${lines.join('\n')}${random.chance(0.5) ? '\n' : ''}`, 'latin1'),
    window: `${windowSeconds}s`,
    partitions: random.pick([1, 2, 2, 3]),
    windowMs,
    grace: `${graceSeconds}s`,
    graceMs: graceSeconds * 1000
  }
}

function line(timeMs: number, random: SeededRandom): string {
  const date = new Date(timeMs)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  const method = random.chance(0.9) ? 'GET' : 'POST'
  const status = random.chance(0.9) ? random.pick([200, 304, 399]) : random.pick([404, 500])
  const query = random.chance(0.2) ? `?n=${random.below(100)}` : ''
  return `10.0.0.${random.below(256)} - - [${day}:${time} +0000] "${method} ${random.pick(PAGES)}${query} HTTP/1.1" ${status} ${random.below(5000)}`
}
