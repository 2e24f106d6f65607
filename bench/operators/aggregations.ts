import { defineTopology, json, string, tumbling } from '@millrace/streams'
import { byKey, byWindow, clicks, counted, MINUTE_MS, STATEFUL_BUDGET, TEXT, windowOf } from './click-input.ts'
import type { InputRecord, OperatorCase } from './operator-run.ts'

const clickRecords = () => clicks(1_500_000, 10_000)

function clickCount(name: string, keyed: boolean): OperatorCase {
  return {
    name,
    budget: STATEFUL_BUDGET,
    topology: defineTopology(`${name}-bench`, (b) => {
      const stream = b.stream('clicks', TEXT)
      const grouped = keyed ? stream.groupByKey() : stream.groupBy((value) => value.slice(0, value.indexOf('#')))
      grouped
        .windowedBy(tumbling({ size: '1m' }))
        .count()
        .toStream()
        .to('results')
    }),
    topics: ['clicks'],
    records: clickRecords,
    decode: byWindow,
    expected: () => counted(clickRecords(), windowOf(MINUTE_MS))
  }
}

const WORDS = 5_000
const LETTERS = 7

/** `{"word": w}`, w one of 5,000 words of 7 letters: the records of the word count that Pathway, Flink and Kafka Streams were compared by. */
function* words(): Generator<InputRecord> {
  for (const { key, atMs } of clicks(1_500_000, WORDS)) {
    const word = Number(key.slice('ad-'.length)).toString(26).padStart(LETTERS, 'w')
    yield { topic: 'words', key: '', value: `{"word":"${word}"}`, atMs }
  }
}

const wordCount: OperatorCase = {
  name: 'word-count',
  budget: STATEFUL_BUDGET,
  topology: defineTopology('word-count-bench', (b) => {
    b.stream('words', { key: string(), value: json<{ readonly word: string }>() })
      .groupBy(({ word }) => word, { key: string() })
      .count()
      .toStream()
      .to('results')
  }),
  topics: ['words'],
  records: words,
  decode: byKey,
  expected: () => counted(words(), ({ value }) => [value.slice('{"word":"'.length, -2)])
}

/** Counts of clicks and words. */
export const AGGREGATIONS: readonly OperatorCase[] = [
  clickCount('clicks-keyed', true),
  clickCount('clicks-rekeyed', false),
  wordCount
]
