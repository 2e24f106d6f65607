/** Start of the stretch of time, `bucketMs` long, that a time is in. */
export function bucketOf(atMs: number, bucketMs: number): number {
  return Math.floor(atMs / bucketMs) * bucketMs
}
