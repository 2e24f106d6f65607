import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventStreamParser, type ServerSentEvent } from './event-stream.ts'

/** All events of a stream whose bytes come in chunks that end at these places. */
function parse(text: string, cuts: readonly number[] = [], lastEventId = '') {
  const bytes = Buffer.from(text)
  const parser = new EventStreamParser(lastEventId)
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  const events: ServerSentEvent[] = []
  let from = 0
  for (const end of ends) {
    events.push(...parser.push(bytes.subarray(from, end)))
    from = end
  }
  return { events, lastEventId: parser.lastEventId, retryMs: parser.retryMs }
}
const dataOf = (text: string) => parse(text).events.map(({ data }) => data)
const cuts = fc.array(fc.nat(), { maxLength: 12 })

describe('the parser of event streams', () => {
  // The examples of the HTML standard, 9.2.6.
  it('joins the data of an event by line feeds', () => {
    expect(dataOf('data: YHOO\ndata: +2\ndata: 10\n\n')).toEqual(['YHOO\n+2\n10'])
  })

  it('takes comments for nothing, keeps the id until another comes, and takes an empty one back', () => {
    const text = ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n'
    expect(parse(text).events).toEqual([
      { type: 'message', data: 'first event', id: '1' },
      { type: 'message', data: 'second event', id: '' },
      { type: 'message', data: ' third event', id: '' }
    ])
  })

  it('makes events of empty data, and none of a block that no blank line ends', () => {
    expect(dataOf('data\n\ndata\ndata\n\ndata:')).toEqual(['', '\n'])
  })

  it('drops one space after the colon', () => {
    expect(dataOf('data:test\n\ndata: test\n\n')).toEqual(['test', 'test'])
  })

  it('knows types, and forgets them with a block without data', () => {
    const { events } = parse('event: add\ndata: 1\n\nevent: gone\n\ndata: 2\n\n')
    expect(events.map(({ type }) => type)).toEqual(['add', 'message'])
  })

  it('takes an id without data, at its blank line and not before', () => {
    expect(parse('id: 7\n\n').lastEventId).toBe('7')
    expect(parse('id: 7\n', [], '6').lastEventId).toBe('6')
    expect(parse('data: x\n\n', [], '6').events).toEqual([{ type: 'message', data: 'x', id: '6' }])
  })

  it('refuses ids with NUL and times that are no digits, and ignores unknown fields', () => {
    const { lastEventId, retryMs, events } = parse('id: a\0b\nretry: 10s\nretry: 250\nretry: -1\nfoo: 1\ndata: x\n\n')
    expect({ lastEventId, retryMs }).toEqual({ lastEventId: '', retryMs: 250 })
    expect(events).toHaveLength(1)
  })

  it('leaves out a byte order mark', () => {
    expect(dataOf('\ufeffdata: x\n\n')).toEqual(['x'])
  })

  it('reads the same however the bytes are divided', () => {
    const piece = fc.constantFrom(
      'data',
      'id',
      'event',
      'retry',
      ':',
      ' ',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      '7',
      'é',
      '😀',
      '\0'
    )
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))
    const property = fc.property(text, cuts, (stream, at) => {
      expect(parse(stream, at)).toEqual(parse(stream))
    })
    fc.assert(property, { numRuns: 500 })
  })

  it('reads the events that were written', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 8 }).map((given) => given.replaceAll(/[\r\n\0\ufeff]/g, ''))
    const event = fc.record({
      type: fc.option(
        line.filter((type) => type !== ''),
        { nil: undefined }
      ),
      lines: fc.array(line, { minLength: 1, maxLength: 3 }),
      id: fc.option(line, { nil: undefined }),
      end: fc.constantFrom('\n', '\r', '\r\n'),
      comment: fc.option(line, { nil: undefined })
    })
    const property = fc.property(fc.array(event, { maxLength: 8 }), cuts, (given, at) => {
      const text = given.map(({ type, lines, id, end, comment }) => {
        const fields = [
          ...(comment === undefined ? [] : [`:${comment}`]),
          ...(type === undefined ? [] : [`event: ${type}`]),
          ...(id === undefined ? [] : [`id: ${id}`]),
          ...lines.map((data) => `data: ${data}`)
        ]
        return `${fields.join(end)}${end}${end}`
      })
      let lastId = ''
      const expected = given.map(({ type = 'message', lines, id = lastId }) => {
        lastId = id
        return { type, data: lines.join('\n'), id }
      })
      expect(parse(text.join(''), at).events).toEqual(expected)
    })
    fc.assert(property, { numRuns: 300 })
  })
})
