import { describe, expect, it } from 'vitest'
import { parseAccessLine } from './access-log.ts'

const line = (request: string, after = '200 2326', time = '17/May/2015:10:05:03 +0000') =>
  `83.149.9.216 - - [${time}] "${request}" ${after}`
const pageOf = (request: string) => {
  const parsed = parseAccessLine(line(request))
  return parsed.kind === 'click' ? parsed.page : parsed.kind
}

describe('parseAccessLine', () => {
  it.each([
    ['GET /a/b.html HTTP/1.1', '/a/b.html'],
    ['GET /a?x=1#y HTTP/1.1', '/a'],
    ['GET /a#y?x HTTP/1.1', '/a'],
    ['GET /no-protocol', '/no-protocol'],
    ['GET /with a space HTTP/1.0', '/with a space'],
    ['GET /with a space', '/with a space'],
    ['GET   /spaces   HTTP/1.0', '/spaces'],
    ['GET /HTTP/1.0', '/HTTP/1.0'],
    ['GET /quote".html HTTP/1.0', '/quote".html'],
    ['GET /quote" 12 HTTP/1.0', '/quote" 12'],
    ['GET /\u00e9\u00ff HTTP/1.0', '/\u00e9\u00ff'],
    ['GET HTTP/1.0', ''],
    ['GET', ''],
    ['POST /a HTTP/1.1', 'ignored'],
    ['HEAD /a HTTP/1.1', 'ignored'],
    ['GETS /a HTTP/1.1', 'ignored'],
    ['get /a HTTP/1.1', 'ignored'],
    ['', 'ignored'],
    ['\\x16\\x03', 'ignored']
  ])('takes from request %j the page %j', (request, page) => {
    expect(pageOf(request)).toBe(page)
  })

  it.each([
    ['200 1', 'click'],
    ['399 -', 'click'],
    ['304 0 "-" "Mozilla/5.0 (a "quote" 404 1)"', 'click'],
    ['199 1', 'ignored'],
    ['400 1', 'ignored'],
    ['200', 'bad'],
    ['200 x', 'bad'],
    ['20 1', 'bad']
  ])('judges %j as %s', (after, kind) => {
    expect(parseAccessLine(line('GET / HTTP/1.0', after)).kind).toBe(kind)
  })

  it.each([
    ['01/Jul/1995:00:00:01 -0400', Date.UTC(1995, 6, 1, 4, 0, 1)],
    ['29/Feb/2016:23:59:59 +0530', Date.UTC(2016, 1, 29, 18, 29, 59)]
  ])('reads the time %s with its zone', (time, expected) => {
    const parsed = parseAccessLine(line('GET /', '200 1', time))
    expect(parsed.kind === 'click' && parsed.timestampMs).toBe(expected)
  })

  it.each(['29/Feb/2015:00:00:00 +0000', '01/Foo/2015:00:00:00 +0000', '01/Jan/2015:24:00:00 +0000', '1/Jan/2015'])(
    'refuses the time %s',
    (time) => expect(parseAccessLine(line('GET /', '200 1', time)).kind).toBe('bad')
  )

  it.each(['', 'garbage', '[17/May/2015:10:05:03 +0000] "GET /" 200 1', 'a - - [17/May/2015:10:05:03 +0000] "GET /'])(
    'calls %j bad',
    (text) => expect(parseAccessLine(text).kind).toBe('bad')
  )
})
