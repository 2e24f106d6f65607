import { defineTopology, json, string } from '@millrace/streams'
import { debounceTime, scan } from '@millrace/streams/rx'

/** A sign-in; the key is the user. */
export interface SignIn {
  readonly ok: boolean
  readonly at: number
}

/** Failures of one user that follow one another with less than {@link QUIET_MS} between them. */
export interface Burst {
  readonly failures: number
  readonly fromMs: number
  readonly toMs: number
}

/** A burst is over when so much time has passed without another failure. */
export const QUIET_MS = 30_000

const NONE: Burst = { failures: 0, fromMs: 0, toMs: Number.NEGATIVE_INFINITY }

/** One alert per user and burst of failed sign-ins, once the burst is over: not one per failure. */
export const debouncedAlert = defineTopology('debounced-alert', (b) => {
  b.stream('sign-ins', { key: string(), value: json<SignIn>(), timestamp: ({ at }) => at })
    .filter(({ ok }) => !ok)
    .rx(scan(addFailure, NONE, { value: json<Burst>() }), { store: 'bursts' })
    .rx(debounceTime(QUIET_MS), { store: 'quiet' })
    .filter(({ failures }) => failures >= 3)
    .toTable({ store: 'alerts' })
    .toStream()
    .to('alerts')
})

function addFailure(burst: Burst, { at }: SignIn): Burst {
  if (at - burst.toMs > QUIET_MS) return { failures: 1, fromMs: at, toMs: at }
  return { failures: burst.failures + 1, fromMs: burst.fromMs, toMs: Math.max(burst.toMs, at) }
}
