import { bytes, type Duration, defineTopology, json, tumbling } from '@millrace/streams'

/** A page view, as the log reader writes it to `clicks`, keyed by page. Pages are bytes: old logs are not always UTF-8. */
export interface Click {
  /** Event time, milliseconds since the epoch. */
  readonly at: number
  readonly status: number
}

/** Counts the clicks of every page per window, each click exactly once. */
export const clickAggregator = (options: { window: Duration; grace: Duration }) =>
  defineTopology('click-aggregator', (b) => {
    b.stream('clicks', { key: bytes(), value: json<Click>(), timestamp: (click) => click.at })
      .groupByKey()
      .windowedBy(tumbling({ size: options.window, grace: options.grace }))
      .count({ store: 'clicks-per-page' })
      .toStream()
      .to('clicks-per-window')
  })
