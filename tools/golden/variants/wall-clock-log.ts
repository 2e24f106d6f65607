import type { Clock, Log } from '@millrace/log'

/** The same log, for programs to whom the time of day is what `clock` says; timers and the broker keep their own. */
export function withWallClock(log: Log, nowMs: () => number): Log {
  const { environment } = log
  const clock: Clock = { nowMs, monotonicMs: () => environment.clock.monotonicMs() }
  return {
    url: log.url,
    clusterId: log.clusterId,
    directory: log.directory,
    environment: { ...environment, clock },
    producer: (options) => log.producer(options),
    consumer: (options) => log.consumer(options),
    admin: () => log.admin(),
    compaction: () => log.compaction(),
    close: () => log.close()
  }
}
