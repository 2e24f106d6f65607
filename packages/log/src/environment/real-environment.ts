import type { Environment } from './environment.ts'
import { realClock } from './real-clock.ts'
import { realFiles } from './real-files.ts'
import { realNetwork } from './real-network.ts'
import { realRandom } from './real-random.ts'
import { realTimers } from './real-timers.ts'

/** The real world: the system's clocks, timers, random source, files and TCP. */
export function realEnvironment(): Environment {
  return { clock: realClock, timers: realTimers, random: realRandom, files: realFiles, network: realNetwork }
}
