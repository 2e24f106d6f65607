/** The clicks of the published comparison with Kafka Streams: skewed ads, event time in order over an hour, four partitions. */
export interface ClickWorkload {
  readonly clicks: number
  readonly ads: number
  readonly minutes: number
  readonly partitions: number
}

/** The size of that comparison. */
export const CLICK_WORKLOAD: ClickWorkload = { clicks: 4_000_000, ads: 10_000, minutes: 60, partitions: 4 }

/** A click as it is generated. */
export interface GeneratedClick {
  readonly ad: number
  readonly user: number
  readonly atMs: number
}

const START_MS = Date.UTC(2026, 0, 1)

/** The same clicks every time: ad `floor(ads u^2)` with u from a seeded generator. */
export function* generateClicks(workload: ClickWorkload): Generator<GeneratedClick> {
  const random = mulberry32(42)
  const spanMs = workload.minutes * 60_000
  for (let i = 0; i < workload.clicks; i++) {
    const u = random()
    yield {
      ad: Math.floor(workload.ads * u * u),
      user: Math.floor(random() * 1_000_000),
      atMs: START_MS + Math.floor((i / workload.clicks) * spanMs)
    }
  }
}

/** What must come out: counts by `ad@windowStartMs`. */
export function countClicks(workload: ClickWorkload, windowMs: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { ad, atMs } of generateClicks(workload)) {
    const key = `ad-${ad}@${atMs - (atMs % windowMs)}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
