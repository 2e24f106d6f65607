/**
 * The first tick at or after `nowMs` of a clock that was started at `startMs` and ticks every `everyMs`, the first time after one interval.
 */
export function nextTickMs(startMs: number, everyMs: number, nowMs: number): number {
  return startMs + Math.max(1, Math.ceil((nowMs - startMs) / everyMs)) * everyMs
}
