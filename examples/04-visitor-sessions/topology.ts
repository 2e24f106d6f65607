import { defineTopology, json, sessions, string } from '@millrace/streams'

/** A page that a visitor saw; the key is the visitor. */
export interface PageView {
  readonly page: string
  readonly at: number
}

/** Pages that follow one another by at most this much are one visit. */
export const GAP = '30m'

/** Groups what each visitor saw into visits: pages with no more than half an hour between them. */
export const visitorSessions = defineTopology('visitor-sessions', (b) => {
  b.stream('page-views', { key: string(), value: json<PageView>(), timestamp: ({ at }) => at })
    .groupByKey()
    .windowedBy(sessions({ gap: GAP, grace: '2h' }))
    .aggregate(
      (): readonly PageView[] => [],
      (view, visit) => [...visit, view].toSorted(byTime),
      (left, right) => [...left, ...right].toSorted(byTime),
      { value: json<readonly PageView[]>(), store: 'visits' }
    )
    .toStream()
    .to('visits')
})

function byTime(left: PageView, right: PageView): number {
  return left.at - right.at
}
