import type { SeededRandom, SimulatedMachine } from '@millrace/log/testing'
import { COMMIT_STEPS, type Trace } from '@millrace/streams'

/**
 * What happens to a life of the machine. A failing disk refuses one sync, which is fatal to the program. A full disk refuses every write until
 * there is space again: the program goes on then, or it has ended and is started again.
 */
export type CrashKind = 'power cut' | 'kill' | 'failing disk' | 'full disk'

/** The plan for one life of the machine: how it ends, and when. */
export interface CrashPlan {
  readonly kind: CrashKind
  readonly at:
    | { readonly timeMs: number }
    | { readonly operation: number }
    | { readonly step: string; readonly pass: number }
}

/** Chance decides: a time, a file operation or a step of the commit. Most come while there is something to lose. */
export function planCrash(random: SeededRandom): CrashPlan {
  const kind = random.pick<CrashKind>([
    'power cut',
    'power cut',
    'power cut',
    'power cut',
    'kill',
    'kill',
    'failing disk',
    'full disk'
  ])
  const when = kind === 'failing disk' || kind === 'full disk' ? 1 : random.below(3)
  if (when === 0) return { kind, at: { timeMs: 2 ** random.between(0, 8) } }
  if (when === 1) return { kind, at: { operation: Math.floor(2 ** random.between(3, 11)) } }
  return { kind, at: { step: random.pick(COMMIT_STEPS), pass: random.below(6) } }
}

/** In a few words. */
export function describeCrash({ kind, at }: CrashPlan): string {
  if ('timeMs' in at) return `${kind} after ${at.timeMs.toFixed(3)} ms`
  if ('operation' in at) return `${kind} at file operation ${at.operation}`
  return `${kind} at step ${at.step}, passed ${at.pass} times before`
}

/** A crash that waits for its instant. */
export interface ArmedCrash {
  /** Resolves when it came. The machine is dead then, except for a failing or full disk. */
  readonly came: Promise<void>
  readonly happened: boolean
  /** To be given to the program. */
  readonly trace: Trace
}

/** Sees to it that the machine crashes as planned; without a plan, that nothing happens to it. */
export function armCrash(machine: SimulatedMachine, plan: CrashPlan | undefined): ArmedCrash {
  machine.disk.options = {}
  if (plan === undefined) return { came: new Promise(() => {}), happened: false, trace: () => {} }
  const { kind, at } = plan
  const { promise: came, resolve: tell } = Promise.withResolvers<void>()
  let happened = false
  const crash = () => {
    if (happened) return
    happened = true
    if (kind === 'power cut') machine.powerCut()
    if (kind === 'kill') machine.kill()
    tell()
  }
  let passes = 0
  if ('operation' in at) failOperation(machine, { kind, from: at.operation, crash })
  if ('timeMs' in at) machine.environment.timers.set(at.timeMs, crash, { background: true })
  return {
    came,
    get happened() {
      return happened
    },
    trace: (step) => {
      if ('step' in at && step === at.step && passes++ >= at.pass) crash()
    }
  }
}

/** The operation does not take place; of a failing disk it is the first sync from that operation on. */
function failOperation(
  machine: SimulatedMachine,
  { kind, from, crash }: { readonly kind: CrashKind; readonly from: number; readonly crash: () => void }
): void {
  let operations = 0
  machine.disk.options = {
    fault: (operation) => {
      if (++operations < from) return undefined
      if (kind === 'full disk') {
        crash()
        return operation === 'write' ? 'ENOSPC' : undefined
      }
      if (kind === 'failing disk' && operation !== 'sync') return undefined
      machine.disk.options = {}
      crash()
      return 'EIO'
    }
  }
}
